/* The scalars of a whole batch as one row of `segment`, and as what the run's heads count. */

/* As the head table of a run lies in memory: sorted by kind, then tag. */
typedef struct __attribute__((packed)) {
    int16_t kind;
    i64 tag_id, metadata_id;
    int32_t attempt;
    i64 n, n_all, first_step, last_step;
    double first_wall, last_wall, last_value, min_value, max_value;
    i64 waiting, waiting_bytes;
} ob_head;

enum { SCALAR = 0 }; /* Its number among the kinds: the first. */

static int by_number(const void *one, const void *other) {
    i64 a = *(const i64 *)one, b = *(const i64 *)other;
    return (a > b) - (a < b);
}

/* The place of a scalar series among sorted heads, or where it would stand. */
static i64 place_of(const ob_head *heads, i64 rows, i64 tag_id) {
    i64 low = 0, high = rows;
    while (low < high) {
        i64 middle = low + (high - low) / 2;
        if (heads[middle].kind == SCALAR && heads[middle].tag_id < tag_id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int stands_at(const ob_head *heads, i64 rows, i64 at, i64 tag_id) {
    return at < rows && heads[at].kind == SCALAR && heads[at].tag_id == tag_id;
}

static void fold(ob_head *head, const ob_piece *piece, int32_t attempt) {
    const ob_extent *e = &piece->extent;
    int is_new = head->n == 0;
    if (is_new || e->low < head->first_step) {
        head->first_step = e->low;
        head->first_wall = e->low_wall;
    }
    if (is_new || e->high >= head->last_step) {
        head->last_step = e->high;
        head->last_wall = e->high_wall;
        head->last_value = e->high_value;
    }
    /* NaN stands for "none yet". */
    if (!(head->min_value <= e->least) && !isnan(e->least))
        head->min_value = e->least;
    if (!(head->max_value >= e->most) && !isnan(e->most))
        head->max_value = e->most;
    if (attempt > head->attempt)
        head->attempt = attempt;
    head->n += piece->count;
    head->n_all += piece->count;
    head->waiting += piece->count;
}

/* Count pieces, visible and waiting, in the heads of their run. `ids`: the tag's of each tag of
 * the batch. `out` has room for the rows there are and one a piece. Returns how many rows there
 * are then, -1 without memory. */
EXPORT i64 ob_count_pieces(
    const ob_head *heads, i64 rows, const i64 *ids, const ob_piece *pieces, i64 count,
    int32_t attempt, ob_head *out
) {
    i64 missing = 0, made = 0, from = 0;
    i64 *fresh = malloc((size_t)(count + 1) * sizeof *fresh);
    if (!fresh)
        return -1;
    for (i64 n = 0; n < count; n++) {
        i64 id = ids[pieces[n].tag];
        if (!stands_at(heads, rows, place_of(heads, rows, id), id))
            fresh[missing++] = id;
    }
    qsort(fresh, (size_t)missing, sizeof *fresh, by_number);
    for (i64 n = 0; n < missing; n++) {
        if (n && fresh[n] == fresh[n - 1])
            continue;
        i64 to = place_of(heads, rows, fresh[n]);
        if (to > from)
            memcpy(out + made, heads + from, (size_t)(to - from) * sizeof *out);
        made += to - from;
        from = to;
        out[made++] = (ob_head){
            .kind = SCALAR, .tag_id = fresh[n], .first_wall = NAN, .last_wall = NAN,
            .last_value = NAN, .min_value = NAN, .max_value = NAN};
    }
    free(fresh);
    if (rows > from)
        memcpy(out + made, heads + from, (size_t)(rows - from) * sizeof *out);
    made += rows - from;
    for (i64 n = 0; n < count; n++)
        fold(out + place_of(out, made, ids[pieces[n].tag]), pieces + n, attempt);
    return made;
}

/* What of a run waits: series, points, bytes, the most points and bytes of one series; then the
 * highest step that is visible, and whether any is. */
EXPORT void ob_sum_heads(const ob_head *heads, i64 rows, i64 *told) {
    memset(told, 0, 7 * sizeof *told);
    for (i64 n = 0; n < rows; n++) {
        const ob_head *head = heads + n;
        told[0] += head->waiting != 0;
        told[1] += head->waiting;
        told[2] += head->waiting_bytes;
        if (head->waiting > told[3])
            told[3] = head->waiting;
        if (head->waiting_bytes > told[4])
            told[4] = head->waiting_bytes;
        if (head->n > 0) {
            if (!told[6] || head->last_step > told[5])
                told[5] = head->last_step;
            told[6] = 1;
        }
    }
}

/* A head table before it is compressed: rows, a bit an octet that tells whether it varies, the
 * octets that do not, then planes of the others. Returns how many bytes `out` got. */
EXPORT i64 ob_pack_heads(const u8 *heads, i64 rows, u8 *out) {
    enum { WIDTH = sizeof(ob_head), FLAGS = (WIDTH + 7) / 8 };
    u8 varies[WIDTH] = {0};
    for (i64 n = 1; n < rows; n++)
        for (int octet = 0; octet < WIDTH; octet++)
            varies[octet] |= heads[n * WIDTH + octet] ^ heads[octet];
    u32 length = (u32)rows;
    memcpy(out, &length, 4);
    u8 *flags = out + 4, *at = flags + FLAGS;
    memset(flags, 0, FLAGS);
    for (int octet = 0; rows && octet < WIDTH; octet++) {
        if (varies[octet])
            flags[octet / 8] |= (u8)(0x80 >> octet % 8);
        else
            *at++ = heads[octet];
    }
    for (int octet = 0; octet < WIDTH; octet++)
        for (i64 n = 0; varies[octet] && n < rows; n++)
            *at++ = heads[n * WIDTH + octet];
    return at - out;
}

/* The rows that `ob_pack_heads` packed; `raw` has as many bytes as its flags and `rows` ask for. */
EXPORT void ob_unpack_heads(const u8 *raw, i64 rows, u8 *heads) {
    enum { WIDTH = sizeof(ob_head), FLAGS = (WIDTH + 7) / 8 };
    const u8 *flags = raw + 4, *same = flags + FLAGS, *plane = same;
    for (int octet = 0; octet < WIDTH; octet++)
        plane += !(flags[octet / 8] & 0x80 >> octet % 8);
    for (int octet = 0; octet < WIDTH; octet++) {
        int varies = flags[octet / 8] & 0x80 >> octet % 8;
        for (i64 n = 0; n < rows; n++)
            heads[n * WIDTH + octet] = varies ? plane[n] : *same;
        if (varies)
            plane += rows;
        else
            same++;
    }
}

/* What each of these tables as `ob_pack_heads` packed them, so many bytes each, comes to: as
 * `ob_sum_heads` tells. Returns how many could be had: the next table is none, or there is no
 * memory. */
EXPORT i64 ob_sum_packed(const u8 *const *raws, const i64 *sizes, i64 count, i64 (*told)[7]) {
    enum { WIDTH = sizeof(ob_head), FLAGS = (WIDTH + 7) / 8, MOST = (1 << 30) / WIDTH };
    ob_head *heads = 0;
    i64 room = 0, n = 0;
    for (; n < count; n++) {
        u32 rows;
        i64 varying = 0;
        if (sizes[n] < 4 + FLAGS)
            break;
        memcpy(&rows, raws[n], 4);
        for (int octet = 0; octet < WIDTH; octet++)
            varying += !!(raws[n][4 + octet / 8] & 0x80 >> octet % 8);
        i64 same = rows ? WIDTH - varying : 0;
        if (rows > MOST || sizes[n] != 4 + FLAGS + same + varying * (i64)rows)
            break;
        if (rows > room) {
            if (!grow((void **)&heads, rows, sizeof *heads))
                break;
            room = rows;
        }
        if (rows)
            ob_unpack_heads(raws[n], rows, (u8 *)heads);
        ob_sum_heads(heads, rows, told[n]);
    }
    free(heads);
    return n;
}

/* One row of each of these tables as `ob_pack_heads` packed them, so many bytes each. Returns how
 * many rows could be had: the next table is none, or has no such row. */
EXPORT i64 ob_heads_at(
    const u8 *const *raws, const i64 *sizes, const i64 *places, i64 count, u8 *out
) {
    enum { WIDTH = sizeof(ob_head), FLAGS = (WIDTH + 7) / 8, MOST = (1 << 30) / WIDTH };
    for (i64 n = 0; n < count; n++, out += WIDTH) {
        const u8 *raw = raws[n], *flags = raw + 4, *same = flags + FLAGS, *plane = same;
        u32 rows;
        int varying = 0;
        if (sizes[n] < 4 + FLAGS)
            return n;
        memcpy(&rows, raw, 4);
        for (int octet = 0; octet < WIDTH; octet++)
            varying += !!(flags[octet / 8] & 0x80 >> octet % 8);
        if (rows > MOST || places[n] < 0 || places[n] >= rows)
            return n;
        plane += WIDTH - varying;
        if (sizes[n] != plane - raw + varying * (i64)rows)
            return n;
        plane += places[n];
        for (int octet = 0; octet < WIDTH; octet++) {
            if (flags[octet / 8] & 0x80 >> octet % 8) {
                out[octet] = *plane;
                plane += rows;
            } else {
                out[octet] = *same++;
            }
        }
    }
    return count;
}

static u8 *column(u8 *at, const void *numbers, i64 count, int32_t unit, int32_t delta) {
    u32 length = (u32)count;
    memcpy(at, &length, 4);
    ob_pack(numbers, count, unit, delta, at + 4);
    return at + 4 + count * unit;
}

/* A segment of nothing but scalars, before it is compressed. `ids`: the tag's of each tag of the
 * batch. `out` has room for 36 bytes, for 32 a piece and for 24 a point. Returns how many bytes
 * there are, -1 without memory. */
EXPORT i64 ob_segment(
    const i64 *ids, const ob_piece *pieces, i64 count, const i64 *step, const double *wall,
    const double *value, const float *narrow, i64 points, u8 *out
) {
    i64 *told = malloc((size_t)(count + 1) * 4 * sizeof *told);
    double *wide = malloc((size_t)(points + 1) * (sizeof *wide + sizeof(float)));
    if (!told || !wide) {
        free(told);
        free(wide);
        return -1;
    }
    float *narrows = (float *)(wide + points + 1);
    i64 wides = 0, small = 0;
    for (i64 n = 0; n < count; n++) {
        const ob_piece *piece = pieces + n;
        told[n] = ids[piece->tag];
        told[count + n] = SCALAR;
        told[2 * count + n] = piece->width;
        told[3 * count + n] = piece->count;
        if (piece->width == 4) {
            memcpy(narrows + small, narrow + piece->start, (size_t)piece->count * 4);
            small += piece->count;
        } else {
            memcpy(wide + wides, value + piece->start, (size_t)piece->count * 8);
            wides += piece->count;
        }
    }
    u8 *at = out;
    for (int part = 0; part < 4; part++)
        at = column(at, told + part * count, count, 8, 0);
    at = column(at, step, points, 8, 1);
    at = column(at, wall, points, 8, 1);
    at = column(at, narrows, small, 4, 1);
    at = column(at, wide, wides, 8, 1);
    at = column(at, told, 0, 8, 0); /* No values of other kinds. */
    free(told);
    free(wide);
    return at - out;
}
