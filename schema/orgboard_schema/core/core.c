/* The compiled core: what reading event files and packing columns spend their time in.
 *
 *   ob_scan       sound records of plain scalars -> columns, checksums and all
 *   ob_pack       a column of numbers -> differences, zigzag, shuffled bytes; ob_unpack back
 *   ob_summarise  what a block's row says of its points
 *
 * Every function here has a twin in Python that defines what it does, bit for bit; this file
 * may be absent. It parses bytes that nobody vouches for: each read is bounded before it is
 * made, and what is not plainly a scalar is left to protobuf, never judged.
 *
 * No global is written after ob_version was called, so that threads need no lock. Little-endian
 * machines only.
 */

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define OB_VERSION 1

#if defined(__GNUC__)
#define EXPORT __attribute__((visibility("default")))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#else
#define EXPORT
#define LIKELY(x) (x)
#endif

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t i64;

/* ---- CRC-32C ---------------------------------------------------------------------------- */

static u32 crc_table[8][256];
static u32 (*crc_of)(const u8 *, i64);

static u32 crc_plain(const u8 *at, i64 size) {
    u32 crc = 0xFFFFFFFFu;
    for (; size >= 8; size -= 8, at += 8) {
        u64 word;
        memcpy(&word, at, 8);
        word ^= crc;
        crc = crc_table[7][word & 0xFF] ^ crc_table[6][word >> 8 & 0xFF] ^
              crc_table[5][word >> 16 & 0xFF] ^ crc_table[4][word >> 24 & 0xFF] ^
              crc_table[3][word >> 32 & 0xFF] ^ crc_table[2][word >> 40 & 0xFF] ^
              crc_table[1][word >> 48 & 0xFF] ^ crc_table[0][word >> 56];
    }
    while (size-- > 0)
        crc = crc >> 8 ^ crc_table[0][(crc ^ *at++) & 0xFF];
    return ~crc;
}

#if defined(__x86_64__) && defined(__GNUC__)
#include <nmmintrin.h>
__attribute__((target("sse4.2"))) static u32 crc_sse42(const u8 *at, i64 size) {
    u64 crc = 0xFFFFFFFFu;
    for (; size >= 8; size -= 8, at += 8) {
        u64 word;
        memcpy(&word, at, 8);
        crc = _mm_crc32_u64(crc, word);
    }
    while (size-- > 0)
        crc = _mm_crc32_u8((u32)crc, *at++);
    return ~(u32)crc;
}
#elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
static u32 crc_arm(const u8 *at, i64 size) {
    u32 crc = 0xFFFFFFFFu;
    for (; size >= 8; size -= 8, at += 8) {
        u64 word;
        memcpy(&word, at, 8);
        crc = __crc32cd(crc, word);
    }
    while (size-- > 0)
        crc = __crc32cb(crc, *at++);
    return ~crc;
}
#endif

static u32 masked_crc(const u8 *at, i64 size) {
    u32 crc = crc_of(at, size);
    return (crc >> 15 | crc << 17) + 0xA282EAD8u;
}

/* Call once, before anything else and from one thread; `plain` chooses the table over the
 * processor's own instruction, to test it. Returns 0 where this file cannot work. */
EXPORT int32_t ob_version(int32_t plain) {
    const u32 one = 1;
    if (*(const u8 *)&one != 1)
        return 0;
    for (u32 n = 0; n < 256; n++) {
        u32 crc = n;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78u : 0);
        crc_table[0][n] = crc;
    }
    for (u32 n = 0; n < 256; n++)
        for (int row = 1; row < 8; row++)
            crc_table[row][n] =
                crc_table[row - 1][n] >> 8 ^ crc_table[0][crc_table[row - 1][n] & 0xFF];
    crc_of = crc_plain;
#if defined(__x86_64__) && defined(__GNUC__)
    if (!plain && __builtin_cpu_supports("sse4.2"))
        crc_of = crc_sse42;
#elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)
    if (!plain)
        crc_of = crc_arm;
#endif
    (void)plain;
    return OB_VERSION;
}

/* ---- Columns of one batch --------------------------------------------------------------- */

typedef struct {
    i64 name, name_size; /* where in the arena */
    i64 meta, meta_size; /* the metadata that was learned; size -1: none yet */
    int32_t next;        /* the tag that came after this one the last time */
    u8 meta_simple;      /* with that metadata, a simple_value is a scalar */
    u8 meta_tensor;      /* with that metadata, so is a tensor of one number */
    u8 bare_tensor;      /* and without any */
} ob_tag_entry;

typedef struct {
    int32_t *tag;
    i64 *step;
    double *wall, *value;
    int8_t *width;
    i64 count, room;
    ob_tag_entry *tags;
    i64 tag_count, tag_room;
    int32_t *slots; /* index + 1, 0 where free */
    i64 slot_count;
    u8 *arena;
    i64 arena_used, arena_room;
    u64 seed;
    int32_t last;
    double first_wall; /* of the first event with a finite one; NaN while there is none */
} ob_columns;

EXPORT ob_columns *ob_new(u64 seed) {
    ob_columns *columns = calloc(1, sizeof *columns);
    if (columns) {
        columns->seed = seed;
        columns->last = -1;
        columns->first_wall = NAN;
    }
    return columns;
}

EXPORT void ob_free(ob_columns *columns) {
    if (!columns)
        return;
    free(columns->tag);
    free(columns->step);
    free(columns->wall);
    free(columns->value);
    free(columns->width);
    free(columns->tags);
    free(columns->slots);
    free(columns->arena);
    free(columns);
}

static int grow(void **at, i64 count, size_t unit) {
    void *more = realloc(*at, (size_t)count * unit);
    if (!more)
        return 0;
    *at = more;
    return 1;
}

static int make_room(ob_columns *c) {
    if (LIKELY(c->count < c->room))
        return 1;
    i64 room = c->room ? 2 * c->room : 1024;
    if (!grow((void **)&c->tag, room, sizeof *c->tag) ||
        !grow((void **)&c->step, room, sizeof *c->step) ||
        !grow((void **)&c->wall, room, sizeof *c->wall) ||
        !grow((void **)&c->value, room, sizeof *c->value) ||
        !grow((void **)&c->width, room, sizeof *c->width))
        return 0;
    c->room = room;
    return 1;
}

static int append(ob_columns *c, int32_t tag, i64 step, double wall, double value, int8_t width) {
    if (!make_room(c))
        return 0;
    i64 at = c->count++;
    c->tag[at] = tag;
    c->step[at] = step;
    c->wall[at] = wall;
    c->value[at] = value;
    c->width[at] = width;
    return 1;
}

/* ---- Tags ------------------------------------------------------------------------------- */

/* Names come from strangers, who must not be able to choose where they collide: seeded. */
static u64 hash_of(const ob_columns *c, const u8 *name, i64 size) {
    u64 hash = c->seed ^ (u64)size * 0x9E3779B97F4A7C15u;
    while (size > 0) {
        u64 word = 0;
        memcpy(&word, name, size < 8 ? (size_t)size : 8);
        hash = (hash ^ word) * 0xD6E8FEB86659FD93u;
        hash ^= hash >> 32;
        hash *= (c->seed | 1);
        hash ^= hash >> 29;
        name += 8;
        size -= 8;
    }
    return hash;
}

static int is_named(const ob_columns *c, int32_t tag, const u8 *name, i64 size) {
    const ob_tag_entry *entry = &c->tags[tag];
    return entry->name_size == size && !memcmp(c->arena + entry->name, name, (size_t)size);
}

static int keep(ob_columns *c, const u8 *bytes, i64 size, i64 *where) {
    if (c->arena_used + size >= c->arena_room) {
        i64 room = 2 * (c->arena_used + size) + 4096;
        if (!grow((void **)&c->arena, room, 1))
            return 0;
        c->arena_room = room;
    }
    if (size)
        memcpy(c->arena + c->arena_used, bytes, (size_t)size);
    *where = c->arena_used;
    c->arena_used += size;
    return 1;
}

static i64 slot_of(const ob_columns *c, const u8 *name, i64 size) {
    i64 slot = (i64)(hash_of(c, name, size) & (u64)(c->slot_count - 1));
    while (c->slots[slot] && !is_named(c, c->slots[slot] - 1, name, size))
        slot = (slot + 1) & (c->slot_count - 1);
    return slot;
}

static int make_slots(ob_columns *c) {
    if (2 * (c->tag_count + 1) <= c->slot_count)
        return 1;
    i64 count = c->slot_count ? 2 * c->slot_count : 64;
    int32_t *slots = calloc((size_t)count, sizeof *slots);
    if (!slots)
        return 0;
    free(c->slots);
    c->slots = slots;
    c->slot_count = count;
    for (i64 tag = 0; tag < c->tag_count; tag++)
        c->slots[slot_of(c, c->arena + c->tags[tag].name, c->tags[tag].name_size)] =
            (int32_t)tag + 1;
    return 1;
}

/* Return the number of the tag of that name, -1 without memory. */
static int32_t find_tag(ob_columns *c, const u8 *name, i64 size) {
    /* Writers log their tags in the same order again and again. */
    if (c->last >= 0) {
        int32_t next = c->tags[c->last].next;
        if (next >= 0 && next < c->tag_count && is_named(c, next, name, size))
            return next;
    }
    if (!make_slots(c))
        return -1;
    i64 slot = slot_of(c, name, size);
    if (!c->slots[slot]) {
        if (c->tag_count >= INT32_MAX - 1)
            return -1;
        if (c->tag_count == c->tag_room) {
            i64 room = c->tag_room ? 2 * c->tag_room : 64;
            if (!grow((void **)&c->tags, room, sizeof *c->tags))
                return -1;
            c->tag_room = room;
        }
        ob_tag_entry entry = {.name_size = size, .meta_size = -1, .next = -1};
        if (!keep(c, name, size, &entry.name))
            return -1;
        c->tags[c->tag_count++] = entry;
        c->slots[slot] = (int32_t)c->tag_count;
    }
    int32_t tag = c->slots[slot] - 1;
    if (c->last >= 0)
        c->tags[c->last].next = tag;
    return tag;
}

/* Take back points and tags that a record brought before it turned out to be none of ours. */
static void undo(ob_columns *c, i64 count, i64 tag_count, i64 arena_used, int32_t last) {
    c->count = count;
    c->last = last;
    while (c->tag_count > tag_count) {
        /* The newest first: nothing was placed behind it in its row of slots. */
        const ob_tag_entry *entry = &c->tags[c->tag_count - 1];
        c->slots[slot_of(c, c->arena + entry->name, entry->name_size)] = 0;
        c->tag_count--;
    }
    c->arena_used = arena_used;
}

EXPORT int32_t ob_tag(ob_columns *c, const u8 *name, i64 size) { return find_tag(c, name, size); }

EXPORT int32_t ob_add(
    ob_columns *c, int32_t tag, i64 step, double wall, double value, int32_t width
) {
    return append(c, tag, step, wall, value, (int8_t)width);
}

/* Learn that a value of this tag with this metadata (size -1: with none) is a scalar. */
EXPORT int32_t ob_learn(ob_columns *c, int32_t tag, const u8 *meta, i64 size, int32_t is_tensor) {
    ob_tag_entry *entry = &c->tags[tag];
    if (size < 0) {
        entry->bare_tensor |= (u8)(is_tensor != 0);
        return 1;
    }
    int same = entry->meta_size == size && !memcmp(c->arena + entry->meta, meta, (size_t)size);
    if (!same) {
        if (entry->meta_size >= 0)
            return 1; /* One is remembered; a writer that has two is read by protobuf. */
        if (!keep(c, meta, size, &entry->meta))
            return 0;
        entry->meta_size = size;
    }
    if (is_tensor)
        entry->meta_tensor = 1;
    else
        entry->meta_simple = 1;
    return 1;
}

EXPORT i64 ob_count(const ob_columns *c) { return c->count; }
EXPORT double ob_first_wall(const ob_columns *c) { return c->first_wall; }

/* The latest finite wall time, NaN where there is none. */
EXPORT double ob_last_wall(const ob_columns *c) {
    double last = NAN;
    for (i64 n = 0; n < c->count; n++)
        if (isfinite(c->wall[n]) && !(c->wall[n] <= last))
            last = c->wall[n];
    return last;
}

/* Fill in the place of each of `count` scalars among all values of a batch, of which `others`
 * tells how many scalars came before each value that is none. */
EXPORT void ob_places(const i64 *others, i64 other_count, i64 count, i64 *order) {
    i64 passed = 0;
    for (i64 n = 0; n < count; n++) {
        while (passed < other_count && others[passed] <= n)
            passed++;
        order[n] = n + passed;
    }
}

/* Tell how many tags there are, and how many bytes their names take together. */
EXPORT i64 ob_tags(const ob_columns *c, i64 *octets) {
    *octets = 0;
    for (i64 tag = 0; tag < c->tag_count; tag++)
        *octets += c->tags[tag].name_size;
    return c->tag_count;
}

/* Fill in where each name ends in `names`, and the names. */
EXPORT void ob_names(const ob_columns *c, i64 *ends, u8 *names) {
    i64 end = 0;
    for (i64 tag = 0; tag < c->tag_count; tag++) {
        const ob_tag_entry *entry = &c->tags[tag];
        if (entry->name_size)
            memcpy(names + end, c->arena + entry->name, (size_t)entry->name_size);
        ends[tag] = end += entry->name_size;
    }
}

EXPORT void ob_take(
    const ob_columns *c, int32_t *tag, i64 *step, double *wall, double *value, int8_t *width
) {
    size_t count = (size_t)c->count;
    if (!count)
        return;
    memcpy(tag, c->tag, count * sizeof *tag);
    memcpy(step, c->step, count * sizeof *step);
    memcpy(wall, c->wall, count * sizeof *wall);
    memcpy(value, c->value, count * sizeof *value);
    memcpy(width, c->width, count * sizeof *width);
}

/* ---- Records ---------------------------------------------------------------------------- */

typedef struct {
    const u8 *at, *end;
} span;

/* The value of a varint, as protobuf reads it; 0 where it is cut off or too long. */
static int varint(span *s, u64 *value) {
    u64 read = 0;
    for (int place = 0; place < 10 && s->at < s->end; place++) {
        u8 byte = *s->at++;
        if (place == 9 && byte > 1)
            return 0;
        read |= (u64)(byte & 0x7F) << 7 * place;
        if (byte < 0x80) {
            *value = read;
            return 1;
        }
    }
    return 0;
}

static int delimited(span *s, span *inner) {
    u64 size;
    if (!varint(s, &size) || size > (u64)(s->end - s->at))
        return 0;
    inner->at = s->at;
    inner->end = s->at += size;
    return 1;
}

static int fixed(span *s, void *value, i64 size) {
    if (s->end - s->at < size)
        return 0;
    memcpy(value, s->at, (size_t)size);
    s->at += size;
    return 1;
}

enum { WALL = 0x09, STEP = 0x10, SUMMARY = 0x2A, VALUE = 0x0A };
enum { TAG = 0x0A, SIMPLE = 0x15, TENSOR = 0x42, METADATA = 0x4A };
enum { DTYPE = 0x08, SHAPE = 0x12, CONTENT = 0x22 };
enum { FLOATS = 0x2A, FLOAT_ALONE = 0x2D, DOUBLES = 0x32, DOUBLE_ALONE = 0x31 };

static int read_float(const u8 *at, double *value) {
    float narrow;
    memcpy(&narrow, at, 4);
    *value = narrow;
    return 4;
}

/* A tensor that is one float or double, written in one of the usual ways; 0: leave it. */
static int read_tensor(span s, double *value) {
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
    if (dtype == 1 && size == 4 && (kind == CONTENT || kind == FLOATS))
        return read_float(content.at, value);
    if (dtype == 2 && size == 8 && (kind == CONTENT || kind == DOUBLES)) {
        memcpy(value, content.at, 8);
        return 8;
    }
    return 0;
}

enum { TAKEN = 1, LEFT = 0, NO_MEMORY = -1 };

static int read_value(ob_columns *c, span s, i64 step, double wall) {
    span name = {0, 0}, meta = {0, 0}, tensor = {0, 0};
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
    if (has_tensor && !(width = read_tensor(tensor, &value)))
        return LEFT;
    i64 meta_size = meta.end - meta.at;
    if (!has_meta && !has_tensor) {
        /* Plain: whatever its tag, it is a scalar. */
        int32_t tag = find_tag(c, name.at, name.end - name.at);
        if (tag < 0 || !append(c, tag, step, wall, value, 4))
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
    if (!append(c, tag, step, wall, value, (int8_t)width))
        return NO_MEMORY;
    c->last = tag;
    return TAKEN;
}

static int read_event(ob_columns *c, span s) {
    span summary = {0, 0};
    double wall = 0;
    u64 step = 0;
    int has_wall = 0, has_step = 0, has_summary = 0, values = 0;
    while (s.at < s.end) {
        switch (*s.at++) {
        case WALL:
            if (has_wall++ || !fixed(&s, &wall, 8))
                return LEFT;
            break;
        case STEP:
            if (has_step++ || !varint(&s, &step))
                return LEFT;
            break;
        case SUMMARY:
            if (has_summary++ || !delimited(&s, &summary))
                return LEFT;
            break;
        default:
            return LEFT;
        }
    }
    if (!has_summary)
        return LEFT;
    while (summary.at < summary.end) {
        span value;
        if (*summary.at++ != VALUE || !delimited(&summary, &value))
            return LEFT;
        int taken = read_value(c, value, (i64)step, wall);
        if (taken != TAKEN)
            return taken;
        values++;
    }
    if (values && isnan(c->first_wall) && isfinite(wall))
        c->first_wall = wall;
    return values ? TAKEN : LEFT;
}

enum { OUT_OF_BYTES = 0, NOT_SOUND = 1, OTHER = 2, FAILED = 3 };

/* A larger record is first asked whether it unfolds too far, which is Python's business. */
#define LARGEST_PLAIN (64 * 1024)

/* Take in sound records of plain scalars from `at` on. Fills told with: where it stopped, how
 * many records it took in, and of a sound record that is none of plain scalars (OTHER) where
 * its payload begins and how long it is. Returns why it stopped. */
EXPORT int32_t ob_scan(
    ob_columns *c, const u8 *data, i64 size, i64 at, i64 limit, i64 told[4]
) {
    i64 records = 0, payload = 0, length = 0;
    int32_t why = OUT_OF_BYTES;
    while (size - at >= 16) {
        u64 declared;
        u32 crc;
        memcpy(&declared, data + at, 8);
        memcpy(&crc, data + at + 8, 4);
        if (declared > (u64)limit || masked_crc(data + at, 8) != crc) {
            why = NOT_SOUND;
            break;
        }
        if (declared > (u64)(size - at - 16))
            break;
        length = (i64)declared;
        payload = at + 12;
        memcpy(&crc, data + payload + length, 4);
        if (masked_crc(data + payload, length) != crc) {
            why = NOT_SOUND;
            break;
        }
        i64 count = c->count, tags = c->tag_count, used = c->arena_used;
        int32_t last = c->last;
        span event = {data + payload, data + payload + length};
        int taken = length > LARGEST_PLAIN ? LEFT : read_event(c, event);
        if (taken != TAKEN) {
            undo(c, count, tags, used, last);
            why = taken == LEFT ? OTHER : FAILED;
            break;
        }
        records++;
        at = payload + length + 4;
    }
    told[0] = at;
    told[1] = records;
    told[2] = payload;
    told[3] = length;
    return why;
}

/* ---- Columns of a block ----------------------------------------------------------------- */

/* Each number's zigzagged difference to the one before, or itself, as planes of bytes. */
EXPORT void ob_pack(const void *numbers, i64 count, int32_t unit, int32_t delta, u8 *out) {
    if (unit == 8) {
        const u64 *in = numbers;
        u64 before = 0;
        for (i64 n = 0; n < count; n++) {
            u64 plain = in[n] - (delta ? before : 0);
            before = in[n];
            u64 coded = plain << 1 ^ (u64)((i64)plain >> 63);
            for (int plane = 0; plane < 8; plane++)
                out[plane * count + n] = (u8)(coded >> 8 * plane);
        }
    } else {
        const u32 *in = numbers;
        u32 before = 0;
        for (i64 n = 0; n < count; n++) {
            u32 plain = in[n] - (delta ? before : 0);
            before = in[n];
            u32 coded = plain << 1 ^ (u32)((int32_t)plain >> 31);
            for (int plane = 0; plane < 4; plane++)
                out[plane * count + n] = (u8)(coded >> 8 * plane);
        }
    }
}

EXPORT void ob_unpack(const u8 *in, i64 count, int32_t unit, int32_t delta, void *numbers) {
    if (unit == 8) {
        u64 *out = numbers, before = 0;
        for (i64 n = 0; n < count; n++) {
            u64 coded = 0;
            for (int plane = 0; plane < 8; plane++)
                coded |= (u64)in[plane * count + n] << 8 * plane;
            u64 plain = coded >> 1 ^ (0 - (coded & 1));
            before = plain + (delta ? before : 0);
            out[n] = before;
        }
    } else {
        u32 *out = numbers, before = 0;
        for (i64 n = 0; n < count; n++) {
            u32 coded = 0;
            for (int plane = 0; plane < 4; plane++)
                coded |= (u32)in[plane * count + n] << 8 * plane;
            u32 plain = coded >> 1 ^ (0 - (coded & 1));
            before = plain + (delta ? before : 0);
            out[n] = before;
        }
    }
}

/* What is said of points without keeping them. First and last are by step: of equal steps the
 * first and the last in order; least and most of the finite values, NaN where there is none. */
typedef struct {
    i64 low, high;
    double low_wall, high_wall, high_value, least, most;
} ob_extent;

static ob_extent extent_of(const i64 *step, const double *wall, const double *value, i64 count) {
    ob_extent e = {step[0], step[0], wall[0], wall[0], value[0], NAN, NAN};
    for (i64 n = 0; n < count; n++) {
        if (step[n] < e.low) {
            e.low = step[n];
            e.low_wall = wall[n];
        }
        if (step[n] >= e.high) {
            e.high = step[n];
            e.high_wall = wall[n];
            e.high_value = value[n];
        }
        if (isfinite(value[n])) {
            if (!(value[n] >= e.least))
                e.least = value[n];
            if (!(value[n] <= e.most))
                e.most = value[n];
        }
    }
    return e;
}

typedef struct {
    i64 section, tag, width, start, count, first;
    ob_extent extent;
} ob_piece;

/* Group the points of a batch by section and tag, in order, into columns of their own; of each
 * group one piece, more where the width changes. Section n begins at point cuts[n - 1]. `counts`
 * has room for one number a tag and one more. Returns how many pieces there are; those beyond
 * `room` are not told. */
EXPORT i64 ob_group(
    i64 count, const int32_t *tag, const i64 *step, const double *wall, const double *value,
    const int8_t *width, i64 tag_count, const i64 *cuts, i64 cut_count, i64 *counts, i64 *steps,
    double *walls, double *values, float *narrow, int8_t *widths, ob_piece *pieces, i64 room
) {
    i64 found = 0;
    for (i64 section = 0; section <= cut_count; section++) {
        i64 from = section ? cuts[section - 1] : 0;
        i64 to = section < cut_count ? cuts[section] : count;
        if (from >= to)
            continue;
        memset(counts, 0, (size_t)(tag_count + 1) * sizeof *counts);
        for (i64 n = from; n < to; n++)
            counts[tag[n] + 1]++;
        counts[0] = from;
        for (i64 t = 0; t < tag_count; t++)
            counts[t + 1] += counts[t];
        for (i64 n = from; n < to; n++) {
            i64 place = counts[tag[n]]++;
            steps[place] = step[n];
            walls[place] = wall[n];
            values[place] = value[n];
            narrow[place] = (float)value[n];
            widths[place] = width[n];
        }
        /* Each count stands now at its tag's end, which is the next one's start. */
        i64 start = from;
        for (i64 t = 0; t < tag_count; t++) {
            for (i64 end = counts[t]; start < end;) {
                i64 stop = start + 1;
                while (stop < end && widths[stop] == widths[start])
                    stop++;
                if (found < room)
                    pieces[found] = (ob_piece){
                        section, t, widths[start], start, stop - start, steps[start],
                        extent_of(steps + start, walls + start, values + start, stop - start)};
                found++;
                start = stop;
            }
        }
    }
    return found;
}

typedef struct {
    i64 low, high, non_finite, finite, walls;
    double wall_least, wall_most, first, last, least, most, sum;
} ob_row;

/* What a block's row says of its points; sums are compensated. `width` 4 or 8. */
EXPORT void ob_summarise(
    const i64 *step, const double *wall, const void *value, i64 count, int32_t width, ob_row *row
) {
    ob_row r = {step[0], step[0], 0, 0, 0, NAN, NAN, NAN, NAN, NAN, NAN, 0};
    double lost = 0;
    for (i64 n = 0; n < count; n++) {
        if (step[n] < r.low)
            r.low = step[n];
        if (step[n] > r.high)
            r.high = step[n];
        if (isfinite(wall[n])) {
            r.walls++;
            if (!(wall[n] >= r.wall_least))
                r.wall_least = wall[n];
            if (!(wall[n] <= r.wall_most))
                r.wall_most = wall[n];
        }
        double v = width == 4 ? (double)((const float *)value)[n] : ((const double *)value)[n];
        if (!isfinite(v)) {
            r.non_finite++;
            continue;
        }
        if (!r.finite++)
            r.first = v;
        r.last = v;
        if (!(v >= r.least))
            r.least = v;
        if (!(v <= r.most))
            r.most = v;
        double sum = r.sum + v;
        lost += fabs(r.sum) >= fabs(v) ? (r.sum - sum) + v : (v - sum) + r.sum;
        r.sum = sum;
    }
    r.sum += lost;
    *row = r;
}
