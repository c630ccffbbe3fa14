/* Fields of protobuf, read as far as they are plain. */

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

/* The fields that are read, key and all. */
enum { WALL = 0x09, STEP = 0x10, FILE_VERSION = 0x1A, SUMMARY = 0x2A, VALUE = 0x0A };
enum { TAG = 0x0A, SIMPLE = 0x15, IMAGE = 0x22, HISTO = 0x2A, TENSOR = 0x42, METADATA = 0x4A };
enum { DTYPE = 0x08, SHAPE = 0x12, CONTENT = 0x22 };
enum { FLOATS = 0x2A, FLOAT_ALONE = 0x2D, DOUBLES = 0x32, DOUBLE_ALONE = 0x31, STRINGS = 0x42 };
enum { LIMITS = 0x32, COUNTS = 0x3A };
enum { HEIGHT = 0x08, WIDTH = 0x10, COLORSPACE = 0x18, ENCODED = 0x22 };
enum { DT_FLOAT = 1, DT_DOUBLE = 2, DT_STRING = 7 };
enum { DIM = 0x12, DIM_SIZE = 0x08 };

/* What became of a value or a record. */
enum { TAKEN = 1, LEFT = 0, NO_MEMORY = -1 };
