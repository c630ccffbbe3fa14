/* libFuzzer's way into the compiled core, with sanitizers: see tests/fuzz/README.md.
 *
 * The first byte of an input chooses what to do with the rest. Random bytes hardly ever have
 * a right checksum, so mode 1 cuts the input into payloads and frames them properly: that is
 * where tags, metadata, tensors and their undoing are met. */

#include "../../schema/orgboard_schema/core/core.c"

#include <assert.h>
#include <stdio.h>

static void frame(u8 *out, const u8 *payload, u64 size) {
    memcpy(out, &size, 8);
    u32 crc = masked(crc_of(out, 8));
    memcpy(out + 8, &crc, 4);
    memcpy(out + 12, payload, size);
    crc = masked(crc_of(payload, (i64)size));
    memcpy(out + 12 + size, &crc, 4);
}

/* What protobuf would find in a payload of one value, roughly, is what the core is taught: the
 * names and metadata that stand in the input, so that its later records are taken in. */
static void teach(ob_columns *c, ob_values *v, const u8 *payload, i64 length) {
    span s = {payload, payload + length}, summary;
    for (int skipped = 0; s.at < s.end && *s.at != SUMMARY && skipped < 24; skipped++)
        s.at++;
    if (s.at >= s.end || *s.at++ != SUMMARY || !delimited(&s, &summary))
        return;
    while (summary.at < summary.end) {
        span value;
        ob_parts p = {0};
        if (*summary.at++ != VALUE || !delimited(&summary, &value))
            return;
        read_fields(value, &p);
        if (p.name.at == p.name.end)
            continue;
        i64 size = p.has_meta && p.meta.at ? p.meta.end - p.meta.at : -1;
        int32_t taught = AS_BUCKETS + (int32_t)(length & 3);
        assert(ob_values_teach(v, p.name.at, p.name.end - p.name.at, p.meta.at, size, taught) >= 0);
        int32_t tag = ob_tag(c, p.name.at, p.name.end - p.name.at);
        assert(tag >= 0);
        ob_learn(c, tag, p.meta.at, size, (int32_t)(length & 1));
    }
}

/* What was taken in lies in the data, in order, and a histogram's limits are the ones it names. */
static void check_values(const ob_values *v, const u8 *data, i64 size) {
    ob_value *rows = malloc((size_t)v->count * sizeof *rows + 1);
    ob_values_take(v, rows);
    i64 gathered = 0;
    for (i64 n = 0; n < v->count; n++) {
        const ob_value *r = &rows[n];
        assert(!n || r->order > rows[n - 1].order);
        assert(r->order == v->before[n] + n);
        if (!r->form)
            continue;
        assert(r->form <= PICTURE && r->tag >= 0 && r->tag < v->names->tag_count);
        assert(r->at >= 0 && r->size >= 0 && r->at + r->size <= size);
        gathered += octets_of(r);
        if (r->form == BUCKETS)
            assert((r->width == 4 || r->width == 8) && r->size % (3 * r->width) == 0);
        if (r->form != HISTOGRAM)
            continue;
        assert(r->counts >= 0 && r->counts_size >= 0 && r->counts + r->counts_size <= size);
        assert(r->size % 8 == 0 && r->counts_size % 8 == 0);
        const ob_value *same = &rows[r->same];
        assert(r->same >= 0 && r->same <= n && same->form == HISTOGRAM && same->tag == r->tag);
        assert(same->size == r->size && !memcmp(data + same->at, data + r->at, (size_t)r->size));
    }
    assert(gathered == ob_values_gathered(v));
    free(rows);
    ob_values_last_wall(v);
    i64 octets, tags = ob_tags(ob_values_names(v), &octets);
    i64 *ends = calloc((size_t)tags + 1, 8);
    u8 *names = calloc((size_t)octets + 1, 1);
    ob_names(ob_values_names(v), ends, names);
    free(ends), free(names);
}

/* Read all of it as the reader in Python does: on from where the core stopped, teaching it. */
/* A batch as one row of `segment`, and counted in heads that some of it is in already. */
static void store(
    const ob_piece *pieces, i64 found, i64 tag_count, const i64 *step, const double *wall,
    const double *value, const float *narrow, i64 count
) {
    i64 *ids = calloc((size_t)tag_count + 1, 8), told[7];
    for (i64 n = 0; n < tag_count; n++)
        ids[n] = 7919 * n % 10007 + 1;
    ob_head *some = calloc((size_t)found + 1, sizeof *some);
    i64 rows = ob_count_pieces(some, 0, ids, pieces, found / 2, 1, some);
    ob_head *all = calloc((size_t)(rows + found) + 1, sizeof *all);
    i64 made = ob_count_pieces(some, rows, ids, pieces, found, 0, all);
    assert(rows <= found / 2 && made <= rows + found);
    for (i64 n = 1; n < made; n++)
        assert(all[n - 1].tag_id < all[n].tag_id);
    ob_sum_heads(all, made, told);
    assert(told[0] == made && told[1] >= count);
    u8 *packed = malloc((size_t)(18 + 110 * made));
    assert(ob_pack_heads((u8 *)all, made, packed) <= 18 + 110 * made);
    ob_head *back = malloc((size_t)made * sizeof *back + 1);
    if (made)
        ob_unpack_heads(packed, made, (u8 *)back);
    assert(!memcmp(all, back, (size_t)made * sizeof *back));
    u8 *segment = malloc((size_t)(36 + 32 * found + 24 * count));
    i64 used = ob_segment(ids, pieces, found, step, wall, value, narrow, count, segment);
    assert(used > 0 && used <= 36 + 32 * found + 24 * count);
    free(ids), free(some), free(all), free(packed), free(back), free(segment);
}

static void scan_all(const u8 *data, i64 size) {
    ob_columns *c = ob_new(0x9E3779B97F4A7C15u);
    ob_values *v = ob_values_new(0xD6E8FEB86659FD93u);
    if (!c || !v)
        abort();
    i64 at = 0, told[4];
    while (at < size) {
        i64 before = c->count, tags = c->tag_count, others = v->count;
        int32_t why = ob_scan(c, v, data, size, at, 1 << 20, v->gathered + 4000, told);
        assert(told[0] >= at && told[0] <= size);
        assert(c->count >= before && c->tag_count >= tags && v->count >= others);
        at = told[0];
        if (why == OTHER) {
            assert(told[2] == at + 12 && told[3] >= 0 && told[2] + told[3] + 4 <= size);
            const u8 *payload = data + told[2];
            i64 length = told[3];
            /* What Python would find in it, roughly: a name, metadata, a number. */
            i64 name = length < 6 ? length : 6;
            int32_t tag = ob_tag(c, payload, name);
            assert(tag >= 0);
            if (length > 8) {
                ob_learn(c, tag, payload + 6, length % 13 - 1 < length - 6 ? length % 13 - 1 : -1,
                         payload[7] & 1);
                ob_add(c, tag, payload[6], 1.5, payload[7], payload[8] & 1 ? 4 : 8);
            }
            teach(c, v, payload, length);
            assert(ob_values_note(v, c->count) >= 0);
            at += 16 + length;
        } else if (why == NOT_SOUND) {
            at += 1;
        } else if (why != FULL) {
            break;
        }
    }
    check_values(v, data, size);
    ob_values_free(v);
    i64 octets, count = c->count, tag_count = ob_tags(c, &octets);
    i64 *ends = calloc((size_t)tag_count + 1, 8);
    u8 *names = calloc((size_t)octets + 1, 1);
    ob_names(c, ends, names);
    int32_t *tag = calloc((size_t)count + 1, 4);
    i64 *step = calloc((size_t)count + 1, 8), *steps = calloc((size_t)count + 1, 8);
    double *wall = calloc((size_t)count + 1, 8), *walls = calloc((size_t)count + 1, 8);
    double *value = calloc((size_t)count + 1, 8), *values = calloc((size_t)count + 1, 8);
    float *narrow = calloc((size_t)count + 1, 4);
    int8_t *width = calloc((size_t)count + 1, 1), *widths = calloc((size_t)count + 1, 1);
    const void *lie[5];
    ob_columns_at(c, lie);
    if (count) {
        memcpy(tag, lie[0], (size_t)count * 4), memcpy(step, lie[1], (size_t)count * 8);
        memcpy(wall, lie[2], (size_t)count * 8), memcpy(value, lie[3], (size_t)count * 8);
        memcpy(width, lie[4], (size_t)count);
    }
    ob_first_wall(c);
    ob_last_wall(c);
    i64 cuts[3] = {0, count / 2, count};
    i64 *counts = calloc((size_t)tag_count + 1, 8);
    ob_piece *pieces = calloc((size_t)count + 1, sizeof *pieces);
    i64 found = ob_group(count, tag, step, wall, value, width, tag_count, cuts, 3, counts, steps,
                         walls, values, narrow, widths, pieces, count);
    i64 total = 0;
    for (i64 n = 0; n < found; n++)
        total += pieces[n].count;
    assert(found <= count && total == count);
    store(pieces, found, tag_count, steps, walls, values, narrow, count);
    if (count) {
        i64 each = 1 + count / 2, last = (count - 1) / each;
        ob_row rows[2], again;
        u8 *blocks = malloc((size_t)(24 * (last + 1) + 24 * count));
        ob_blocks(step, wall, value, count, each, 8, blocks, rows);
        ob_summarise(step + last * each, wall + last * each, value + last * each,
                     count - last * each, 8, &again);
        assert(rows[last].low == again.low && rows[last].finite == again.finite);
        free(blocks);
        /* In two blocks of which neither is a whole number of stretches. */
        i64 lengths[2] = {count / 3, count - count / 3}, m = 0;
        for (int b = 0; b < 2; b++)
            m += (lengths[b] + 6) / 7;
        ob_buckets_out out = {
            malloc((size_t)(8 * m)), malloc((size_t)(32 * m)), malloc((size_t)(16 * m)),
            malloc((size_t)(32 * m)), malloc((size_t)(16 * m)), malloc((size_t)(8 * m)),
            malloc((size_t)(32 * m)), malloc((size_t)m), malloc((size_t)m)};
        ob_buckets(step, wall, value, 8, lengths, 2, 7, m, &out);
        free(out.non_finite), free(out.step), free(out.step_range), free(out.wall);
        free(out.wall_range), free(out.mean), free(out.value);
        free(out.steps_ascend), free(out.walls_ascend);
    }
    free(ends), free(names), free(tag), free(step), free(steps), free(wall), free(walls);
    free(value), free(values), free(narrow), free(width), free(widths), free(counts);
    free(pieces);
    ob_free(c);
}

static void pack_and_unpack(const u8 *data, i64 size, int32_t unit, int32_t delta) {
    i64 count = size / unit;
    u8 *in = malloc((size_t)size + 1), *packed = malloc((size_t)size + 1);
    u8 *back = malloc((size_t)size + 1);
    memcpy(in, data, (size_t)size);
    ob_pack(in, count, unit, delta, packed);
    ob_unpack(packed, count, unit, delta, back);
    assert(!memcmp(in, back, (size_t)(count * unit)));
    if (unit == 8 && ob_whole((double *)in, count, (i64 *)packed))
        for (i64 n = 0; n < count; n++)
            assert((double)((i64 *)packed)[n] == ((double *)in)[n]);
    free(in), free(packed), free(back);
}

static i64 texts_in(const u8 *text, i64 size) {
    i64 found = 0;
    for (i64 n = 0; n < size; n++)
        found += !text[n];
    return found;
}

/* What was read of a graph's message lies in it, in order, and has its names, inputs and words. */
static void check_graph(const ob_graph *g, i64 from, i64 end) {
    const void *at[3];
    i64 used[3], octets, last = from, names = 0, inputs = 0, words = ob_tags(ob_graph_words(g), &octets);
    ob_graph_at(g, at, used);
    const ob_node *rows = at[0];
    const u8 *text = at[1];
    for (i64 n = 0; n < used[0]; n++) {
        const ob_node *r = &rows[n];
        assert(r->at >= last && r->size >= 0 && r->at + r->size <= end);
        last = r->at + r->size;
        if (r->left) {
            assert(!r->inputs);
            continue;
        }
        assert(r->size <= MOST_OCTETS && r->name >= 0 && r->name < used[1]);
        assert(!r->name || !text[r->name - 1]);
        names++;
        inputs += r->inputs;
        assert(r->op >= 0 && r->op < words && r->device >= 0 && r->device < words);
        assert(r->cluster >= ABSENT && r->cluster < words && r->listed >= ABSENT && r->listed < words);
        assert(r->value >= OF_ANOTHER_KIND && r->value < words);
        assert(r->shape >= OF_ANOTHER_KIND && r->shape < words);
    }
    assert(texts_in(text, used[1]) == names && texts_in(at[2], used[2]) == inputs);
    int32_t *sources = malloc((size_t)inputs * sizeof *sources + 1);
    if (ob_graph_tie(g, sources) == 1) {
        const char *input = at[2];
        for (i64 n = 0; n < inputs; n++, input += strlen(input) + 1) {
            assert(sources[n] >= ABSENT && sources[n] < used[0]);
            if (sources[n] >= 0)
                assert(!rows[sources[n]].left &&
                       !strcmp((const char *)text + rows[sources[n]].name, input));
        }
    }
    free(sources);
}

/* Read a message as a graph, so many rows at a time. */
static void read_graph(const u8 *data, i64 size, i64 most) {
    u8 *exact = malloc((size_t)size + !size);
    memcpy(exact, data, (size_t)size);
    i64 at = 0, end = 0;
    do {
        ob_graph *g = ob_graph_new(0x9E3779B97F4A7C15u);
        if (!g)
            abort();
        at = end;
        end = ob_graph_read(g, exact, size, at, 1, 1 << 2 | 1 << 4, most);
        assert(end >= at && end <= size);
        check_graph(g, at, end);
        ob_graph_free(g);
    } while (end > at && end < size);
    free(exact);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size) {
    static int ready;
    if (!ready)
        ready = ob_version(0);
    if (!size)
        return 0;
    u8 mode = *data++;
    size--;
    if (mode & 8) {
        read_graph(data, (i64)size, mode & 16 ? 3 : 1 << 20);
        return 0;
    }
    switch (mode & 3) {
    case 0:
        scan_all(data, (i64)size);
        break;
    case 1: {
        /* Payloads, each behind a byte of its length; copied, so that overruns are seen. */
        u8 *file = malloc(size * 17 + 1);
        i64 used = 0;
        for (size_t at = 0; at < size;) {
            size_t length = data[at++];
            if (length > size - at)
                length = size - at;
            frame(file + used, data + at, length);
            used += (i64)length + 16;
            at += length;
        }
        u8 *exact = malloc((size_t)used + 1);
        memcpy(exact, file, (size_t)used);
        free(file);
        exact = realloc(exact, used ? (size_t)used : 1);
        scan_all(exact, used);
        free(exact);
        break;
    }
    default:
        pack_and_unpack(data, (i64)size, mode & 2 ? 8 : 4, mode & 4);
        pack_and_unpack(data, (i64)size, 4, mode & 4);
    }
    return 0;
}
