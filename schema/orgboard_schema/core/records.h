/* Records of plain values -> columns. */

static int read_float(const u8 *at, double *value) {
    float narrow;
    memcpy(&narrow, at, 4);
    *value = narrow;
    return 4;
}

/* A tensor that is one float or double, written in one of the usual ways, and where it lies;
 * 0: leave it. */
static int read_tensor(span s, double *value, const u8 **at) {
    u64 dtype = 0;
    int has_dtype = 0, has_shape = 0;
    span content = {0, 0};
    int kind = 0;
    while (s.at < s.end) {
        u8 key = *s.at++;
        span inner;
        switch (key) {
        case DTYPE:
            if (has_dtype++ || !varint(&s, &dtype))
                return 0;
            break;
        case SHAPE:
            /* Of rank 0: any dimension is left to protobuf. */
            if (has_shape++ || !delimited(&s, &inner) || inner.at != inner.end)
                return 0;
            break;
        case CONTENT:
        case FLOATS:
        case DOUBLES:
            if (kind || !delimited(&s, &content))
                return 0;
            kind = key;
            break;
        case FLOAT_ALONE:
        case DOUBLE_ALONE: {
            i64 size = key == FLOAT_ALONE ? 4 : 8;
            if (kind || s.end - s.at < size)
                return 0;
            content.at = s.at;
            content.end = s.at += size;
            kind = key == FLOAT_ALONE ? FLOATS : DOUBLES;
            break;
        }
        default:
            return 0;
        }
    }
    i64 size = content.end - content.at;
    *at = content.at;
    if (dtype == 1 && size == 4 && (kind == CONTENT || kind == FLOATS))
        return read_float(content.at, value);
    if (dtype == 2 && size == 8 && (kind == CONTENT || kind == DOUBLES)) {
        memcpy(value, content.at, 8);
        return 8;
    }
    return 0;
}

static int read_value(ob_columns *c, span s, i64 step, double wall) {
    span name = {0, 0}, meta = {0, 0}, tensor = {0, 0};
    const u8 *at = 0;
    double value = 0;
    int has_meta = 0, width = 0, has_tensor = 0;
    while (s.at < s.end) {
        switch (*s.at++) {
        case TAG:
            if (name.at || !delimited(&s, &name))
                return LEFT;
            break;
        case SIMPLE: {
            float narrow;
            if (width || has_tensor || !fixed(&s, &narrow, 4))
                return LEFT;
            value = narrow;
            width = 4;
            at = s.at - 4;
            break;
        }
        case TENSOR:
            if (width || has_tensor++ || !delimited(&s, &tensor))
                return LEFT;
            break;
        case METADATA:
            if (has_meta++ || !delimited(&s, &meta))
                return LEFT;
            break;
        default:
            return LEFT;
        }
    }
    if (name.at == name.end || (!width && !has_tensor))
        return LEFT;
    if (has_tensor && !(width = read_tensor(tensor, &value, &at)))
        return LEFT;
    i64 meta_size = meta.end - meta.at;
    if (!has_meta && !has_tensor) {
        /* Plain: whatever its tag, it is a scalar. */
        int32_t tag = find_tag(c, name.at, name.end - name.at);
        if (tag < 0 || !append(c, tag, step, wall, value, 4) ||
            !make_hole(&c->moulds, at, tag, 4))
            return NO_MEMORY;
        c->last = tag;
        return TAKEN;
    }
    int32_t tag = find_tag(c, name.at, name.end - name.at);
    if (tag < 0)
        return NO_MEMORY;
    const ob_tag_entry *entry = &c->tags[tag];
    int known = has_meta ? (has_tensor ? entry->meta_tensor : entry->meta_simple)
                         : entry->bare_tensor;
    if (!known)
        return LEFT;
    if (has_meta && (entry->meta_size != meta_size ||
                     memcmp(c->arena + entry->meta, meta.at, (size_t)meta_size)))
        return LEFT;
    if (!append(c, tag, step, wall, value, (int8_t)width) ||
        !make_hole(&c->moulds, at, tag, width))
        return NO_MEMORY;
    c->last = tag;
    return TAKEN;
}

enum { OUT_OF_BYTES = 0, NOT_SOUND = 1, OTHER = 2, FAILED = 3, FULL = 4 };

/* A larger record is first asked whether it unfolds too far, which is Python's business; */
#define LARGEST_PLAIN (64 * 1024)
/* a single value up to here never does: it takes five times its bytes at most. */
#define LARGEST_ALONE (16 * 1024 * 1024)

/* Where columns end: what a record brought before it turned out to be none of ours is undone. */
typedef struct {
    i64 count, tags, used;
    int32_t last;
} mark;

static mark mark_of(const ob_columns *c) {
    return (mark){c->count, c->tag_count, c->arena_used, c->last};
}

static void undo_to(ob_columns *c, mark m) { undo(c, m.count, m.tags, m.used, m.last); }

/* One value of a record; of a large one (`alone`) only what cannot unfold too far. */
static int read_any(ob_columns *c, ob_values *v, span value, i64 step, double wall, int alone) {
    mark before = mark_of(c);
    int taken = alone ? LEFT : read_value(c, value, step, wall);
    if (taken != LEFT)
        return taken;
    undo_to(c, before);
    c->moulds.plain = 0;
    return read_other(v, c->count, value, step, wall);
}

static void note_first_wall(ob_columns *c, double wall) {
    if (isnan(c->first_wall) && isfinite(wall))
        c->first_wall = wall;
}

/* The event that a file begins with, where it says the version that all writers say. */
static int read_version(ob_columns *c, span version, double wall) {
    static const char known[] = "brain.Event:2";
    i64 size = version.end - version.at;
    if (size != (i64)sizeof known - 1 || memcmp(version.at, known, (size_t)size))
        return LEFT;
    if (isfinite(wall) && !(wall <= c->version_wall))
        c->version_wall = wall;
    note_first_wall(c, wall);
    c->versions++;
    return TAKEN;
}

static int read_event(ob_columns *c, ob_values *v, span s, int alone) {
    span summary = {0, 0}, version = {0, 0};
    double wall = 0;
    u64 step = 0;
    int has_wall = 0, has_step = 0, has_summary = 0, has_version = 0, values = 0;
    while (s.at < s.end) {
        switch (*s.at++) {
        case FILE_VERSION:
            if (has_version++ || has_summary || !delimited(&s, &version))
                return LEFT;
            break;
        case WALL:
            c->moulds.wall = s.at;
            if (has_wall++ || !fixed(&s, &wall, 8))
                return LEFT;
            break;
        case STEP:
            c->moulds.step = s.at;
            if (has_step++ || !varint(&s, &step))
                return LEFT;
            c->moulds.step_size = (int32_t)(s.at - c->moulds.step);
            break;
        case SUMMARY:
            if (has_summary++ || has_version || !delimited(&s, &summary))
                return LEFT;
            break;
        default:
            return LEFT;
        }
    }
    if (has_version) {
        c->moulds.plain = 0;
        return read_version(c, version, wall);
    }
    if (!has_summary)
        return LEFT;
    while (summary.at < summary.end) {
        span value;
        if (*summary.at++ != VALUE || !delimited(&summary, &value) || (alone && values))
            return LEFT;
        int taken = read_any(c, v, value, (i64)step, wall, alone);
        if (taken != TAKEN)
            return taken;
        values++;
    }
    if (values)
        note_first_wall(c, wall);
    return values ? TAKEN : LEFT;
}

/* Take in one payload, or leave no trace of it. */
static int read_payload(ob_columns *c, ob_values *v, const u8 *payload, i64 length) {
    mark scalars = mark_of(c), names = mark_of(v->names);
    i64 count = v->count, gathered = v->gathered;
    span event = {payload, payload + length};
    begin_mould(&c->moulds, length);
    int taken = length > LARGEST_ALONE ? LEFT : read_event(c, v, event, length > LARGEST_PLAIN);
    if (taken == TAKEN && c->moulds.plain) {
        int32_t first = c->moulds.holes[0].tag;
        end_mould(&c->moulds, payload, length, &c->tags[first].mould);
    } else {
        c->moulds.last = -1;
    }
    if (taken != TAKEN) {
        undo_to(c, scalars);
        undo_to(v->names, names);
        v->count = count;
        v->gathered = gathered;
    }
    return taken;
}

/* Take in one payload that fits a mould; LEFT: it fits none. */
INLINE int read_moulded(ob_columns *c, const u8 *payload, i64 length) {
    const ob_mould *mould = find_mould(&c->moulds, payload, length);
    if (!mould)
        return LEFT;
    double wall = 0;
    u64 step = 0;
    if (mould->wall >= 0)
        memcpy(&wall, payload + mould->wall, 8);
    for (int32_t n = 0; mould->step >= 0 && n < mould->step_size; n++)
        step |= (u64)(payload[mould->step + n] & 0x7F) << 7 * n;
    i64 count = mould->hole_count;
    if (!make_room(c, count))
        return NO_MEMORY;
    for (i64 n = 0; n < count; n++) {
        const ob_hole *hole = mould->holes + n;
        double value;
        if (hole->width == 4)
            read_float(payload + hole->at, &value);
        else
            memcpy(&value, payload + hole->at, 8);
        put(c, c->count + n, hole->tag, (i64)step, wall, value, hole->width);
    }
    c->count += count;
    c->last = mould->holes[count - 1].tag;
    note_first_wall(c, wall);
    return TAKEN;
}

INLINE int32_t scan(
    ob_columns *c, ob_values *v, const u8 *data, i64 size, i64 at, i64 limit, i64 most,
    i64 told[4], u32 crc_by(const u8 *, i64)
) {
    i64 records = 0, payload = 0, length = 0;
    u64 sound = 0;
    u32 sound_crc = masked(crc_by((const u8 *)&sound, 8));
    int32_t why = OUT_OF_BYTES;
    if (v->data != data || v->size != size) {
        v->data = data;
        v->size = size;
        v->since = v->count;
    }
    while (size - at >= 16) {
        u64 declared;
        u32 crc;
        memcpy(&declared, data + at, 8);
        memcpy(&crc, data + at + 8, 4);
        /* The length of one record is often that of the next. */
        if (declared != sound || crc != sound_crc) {
            if (declared > (u64)limit || masked(crc_by(data + at, 8)) != crc) {
                why = NOT_SOUND;
                break;
            }
            sound = declared;
            sound_crc = crc;
        }
        if (declared > (u64)(size - at - 16))
            break;
        length = (i64)declared;
        payload = at + 12;
        memcpy(&crc, data + payload + length, 4);
        if (masked(crc_by(data + payload, length)) != crc) {
            why = NOT_SOUND;
            break;
        }
        int taken = read_moulded(c, data + payload, length);
        if (taken == LEFT)
            taken = read_payload(c, v, data + payload, length);
        if (taken != TAKEN) {
            why = taken == LEFT ? OTHER : FAILED;
            break;
        }
        records++;
        at = payload + length + 4;
        if (v->gathered > most) {
            why = FULL;
            break;
        }
    }
    told[0] = at;
    told[1] = records;
    told[2] = payload;
    told[3] = length;
    return why;
}

#if defined(__x86_64__) && defined(__GNUC__)
/* The same with the checksum's instruction in the loop. */
__attribute__((target("sse4.2"))) static int32_t scan_sse42(
    ob_columns *c, ob_values *v, const u8 *data, i64 size, i64 at, i64 limit, i64 most,
    i64 told[4]
) {
    return scan(c, v, data, size, at, limit, most, told, crc_sse42);
}
#endif

/* Take in sound records of plain values from `at` on, until the values gathered take more than
 * `most` octets. Fills told with: where it stopped, how many records it took in, and of a sound
 * record that is none of plain values (OTHER) where its payload begins and how long it is.
 * Returns why it stopped. All calls for one `v` are given the same data. */
EXPORT int32_t ob_scan(
    ob_columns *c, ob_values *v, const u8 *data, i64 size, i64 at, i64 limit, i64 most,
    i64 told[4]
) {
#if defined(__x86_64__) && defined(__GNUC__)
    if (crc_of == crc_sse42)
        return scan_sse42(c, v, data, size, at, limit, most, told);
#endif
    return scan(c, v, data, size, at, limit, most, told, crc_of);
}
