/* Values that are no scalars -> where in the file their bytes lie, and the few numbers beside.
 *
 * Nothing is copied: whoever reads on has the bytes. What a tensor is, is said by metadata that
 * only Python understands: it teaches the core what to take in, tag by tag. */

enum { NO_FORM = 0, HISTOGRAM = 1, BUCKETS = 2, TEXT = 3, WORDS = 4, PICTURE = 5 };
/* What Python teaches of a tag: the kind that its tensors claim to be. */
enum { UNTAUGHT = 0, AS_BUCKETS = 2, AS_TEXT = 3, AS_TENSOR = 4, AS_PICTURE = 5 };

typedef struct {
    i64 step;
    double wall;
    i64 at, size;               /* the bytes; of a histogram those of its limits */
    i64 counts, counts_size;    /* of a histogram those of its counts */
    double moments[5];          /* min, max, num, sum, sum_squares */
    i64 order;                  /* among all values, scalars included */
    int32_t tag, same;          /* the first row with these limits, as far as known */
    int32_t width, height;      /* of a picture; of buckets the octets of a number */
    int32_t form, has_meta, rank, spare;
} ob_value;

typedef struct {
    ob_columns *names;          /* of which the tags alone are used */
    ob_value *rows;
    i64 *before;                /* scalars before each row */
    i64 count, room;
    i64 gathered;               /* octets that the values take in memory, as Python counts them */
    const u8 *data;             /* what places count from, of the rows from `since` on */
    i64 size, since;
} ob_values;

EXPORT ob_values *ob_values_new(u64 seed) {
    ob_values *v = calloc(1, sizeof *v);
    if (v && !(v->names = ob_new(seed))) {
        free(v);
        return 0;
    }
    return v;
}

EXPORT void ob_values_free(ob_values *v) {
    if (!v)
        return;
    ob_free(v->names);
    free(v->rows);
    free(v->before);
    free(v);
}

static int add_row(ob_values *v, i64 before, const ob_value *row) {
    if (v->count == v->room) {
        if (v->count > INT32_MAX / 2)
            return 0;
        i64 room = v->room ? 2 * v->room : 256;
        if (!grow((void **)&v->rows, room, sizeof *v->rows) ||
            !grow((void **)&v->before, room, sizeof *v->before))
            return 0;
        v->room = room;
    }
    v->before[v->count] = before;
    v->rows[v->count] = *row;
    v->rows[v->count].order = before + v->count;
    v->count++;
    return 1;
}

/* Leave a place for what Python read; return its order, -1 without memory. */
EXPORT i64 ob_values_note(ob_values *v, i64 before) {
    const ob_value none = {.form = NO_FORM, .tag = -1, .same = -1};
    return add_row(v, before, &none) ? v->rows[v->count - 1].order : -1;
}

/* Learn that tensors of this tag with this metadata (size -1: with none) are `taught`. */
EXPORT int32_t ob_values_teach(
    ob_values *v, const u8 *name, i64 name_size, const u8 *meta, i64 size, int32_t taught
) {
    int32_t tag = find_tag(v->names, name, name_size);
    if (tag < 0)
        return -1;
    ob_tag_entry *entry = &v->names->tags[tag];
    if (size < 0) {
        entry->bare_tensor = (u8)taught;
    } else if (entry->meta_size < 0) {
        if (!keep(v->names, meta, size, &entry->meta))
            return -1;
        entry->meta_size = size;
        entry->meta_tensor = (u8)taught;
    }
    return tag;
}

/* What a value takes in memory beside its data, and what a float and a short string take, in
 * Python, where all of it is told again. */
#define POINT_OCTETS 1024
#define FLOAT_OCTETS 32
#define STRING_OCTETS 64
#define MOST_BUCKETS 1000000

static i64 place(const ob_values *v, span s) { return s.at - v->data; }

/* A HistogramProto, each field at most once and lists packed; 0: leave it. */
static int read_histogram(const ob_values *v, span s, ob_value *row) {
    span limits = {s.at, s.at}, counts = {s.at, s.at};
    u32 seen = 0;
    while (s.at < s.end) {
        u8 key = *s.at++;
        u32 number = key >> 3;
        if (number < 1 || number > 7 || seen >> number & 1)
            return 0;
        seen |= 1u << number;
        if (key == LIMITS || key == COUNTS) {
            span *list = key == LIMITS ? &limits : &counts;
            if (!delimited(&s, list) || (list->end - list->at) % 8)
                return 0;
        } else if ((key & 7) != 1 || number > 5 || !fixed(&s, &row->moments[number - 1], 8)) {
            return 0;
        }
    }
    row->form = HISTOGRAM;
    row->at = place(v, limits);
    row->size = limits.end - limits.at;
    row->counts = place(v, counts);
    row->counts_size = counts.end - counts.at;
    return 1;
}

/* The rank of a TensorShapeProto and its sizes, at most two of them; -1: leave it. */
static int read_shape(span s, u64 sizes[2]) {
    int rank = 0;
    while (s.at < s.end) {
        span dim;
        if (*s.at++ != DIM || !delimited(&s, &dim) || rank == 2)
            return -1;
        sizes[rank] = 0;
        if (dim.at < dim.end &&
            (*dim.at++ != DIM_SIZE || !varint(&dim, &sizes[rank]) || dim.at < dim.end))
            return -1;
        rank++;
    }
    return rank;
}

static int is_size(span s, int32_t *value) {
    i64 digits = s.end - s.at;
    if (digits < 1 || digits > 9)
        return 0;
    for (*value = 0; s.at < s.end; s.at++) {
        if (*s.at < '0' || *s.at > '9')
            return 0;
        *value = 10 * *value + (*s.at - '0');
    }
    return 1;
}

typedef struct {
    u64 dtype, sizes[2];
    int has_content, rank, strings;
    span content, string[3];
} ob_tensor;

/* The fields of a TensorProto that the forms below have; 0: leave it. */
static int read_parts(span s, ob_tensor *t) {
    int has_dtype = 0, has_shape = 0;
    while (s.at < s.end) {
        span shape;
        switch (*s.at++) {
        case DTYPE:
            if (has_dtype++ || !varint(&s, &t->dtype))
                return 0;
            break;
        case SHAPE:
            if (has_shape++ || !delimited(&s, &shape))
                return 0;
            t->rank = read_shape(shape, t->sizes);
            if (t->rank < 0)
                return 0;
            break;
        case CONTENT:
            if (t->has_content++ || !delimited(&s, &t->content))
                return 0;
            break;
        case STRINGS:
            if (t->strings == 3 || !delimited(&s, &t->string[t->strings++]))
                return 0;
            break;
        default:
            return 0;
        }
    }
    return 1;
}

/* Whether these are `count` strings in a row, or alone as that many. */
static int is_list(const ob_tensor *t, int count) {
    return t->dtype == DT_STRING && t->strings == count && !t->has_content &&
           (t->rank == 0 || (t->rank == 1 && t->sizes[0] == (u64)count));
}

static int is_buckets(const ob_tensor *t, u64 unit) {
    return (t->dtype == DT_FLOAT || t->dtype == DT_DOUBLE) && t->has_content && !t->strings &&
           t->rank == 2 && t->sizes[0] >= 1 && t->sizes[0] <= MOST_BUCKETS && t->sizes[1] == 3 &&
           (u64)(t->content.end - t->content.at) == 3 * unit * t->sizes[0];
}

/* A tensor of one string, of a picture behind its sizes, or of buckets; 0: leave it. */
static int read_other_tensor(const ob_values *v, span s, u8 taught, ob_value *row) {
    ob_tensor t = {0};
    if (!read_parts(s, &t))
        return 0;
    u64 unit = t.dtype == DT_FLOAT ? 4 : 8;
    span bytes = t.string[0];
    if (taught == AS_BUCKETS && is_buckets(&t, unit)) {
        row->form = BUCKETS;
        row->width = (int32_t)unit;
        bytes = t.content;
    } else if (taught == AS_PICTURE && is_list(&t, 3) && is_size(t.string[0], &row->width) &&
               is_size(t.string[1], &row->height)) {
        row->form = PICTURE;
        bytes = t.string[2];
    } else if ((taught == AS_TEXT || taught == AS_TENSOR) && is_list(&t, 1)) {
        row->form = taught == AS_TEXT ? TEXT : WORDS;
    } else {
        return 0;
    }
    row->rank = t.rank;
    row->at = place(v, bytes);
    row->size = bytes.end - bytes.at;
    return 1;
}

/* A Summary.Image; of a field that comes twice the last counts. 0: leave it. */
static int read_image(const ob_values *v, span s, ob_value *row) {
    u64 number;
    span data = {s.at, s.at};
    while (s.at < s.end) {
        u8 key = *s.at++;
        if (key == ENCODED) {
            if (!delimited(&s, &data))
                return 0;
        } else if (key == HEIGHT || key == WIDTH || key == COLORSPACE) {
            if (!varint(&s, &number))
                return 0;
            /* As protobuf does: of an int32 the lower half counts. */
            if (key == HEIGHT)
                row->height = (int32_t)(u32)number;
            else if (key == WIDTH)
                row->width = (int32_t)(u32)number;
        } else {
            return 0;
        }
    }
    row->form = PICTURE;
    row->at = place(v, data);
    row->size = data.end - data.at;
    return 1;
}

static i64 octets_of(const ob_value *row) {
    switch (row->form) {
    case HISTOGRAM:
        return POINT_OCTETS + (row->size + row->counts_size) / 8 * FLOAT_OCTETS;
    case BUCKETS:
        return POINT_OCTETS + row->size / (3 * row->width) * 6 * FLOAT_OCTETS;
    default:
        return POINT_OCTETS + row->size + STRING_OCTETS;
    }
}

/* Histograms of a tag mostly share their limits with the one before. */
static void find_same(ob_values *v, ob_value *row) {
    ob_tag_entry *entry = &v->names->tags[row->tag];
    i64 last = entry->row;
    row->same = (int32_t)v->count;
    /* It may have been undone since, and another stand in its place. */
    if (last >= v->since && last < v->count) {
        const ob_value *before = &v->rows[last];
        if (before->form == HISTOGRAM && before->tag == row->tag && before->size == row->size &&
            !memcmp(v->data + before->at, v->data + row->at, (size_t)row->size))
            row->same = before->same;
    }
    entry->row = v->count;
}

typedef struct {
    span name, meta, what;
    int has_meta;
    u8 kind;
} ob_parts;

/* The fields of a Summary.Value that the forms above have; 0: leave it. */
static int read_fields(span s, ob_parts *p) {
    while (s.at < s.end) {
        u8 key = *s.at++;
        switch (key) {
        case TAG:
            if (p->name.at || !delimited(&s, &p->name))
                return 0;
            break;
        case HISTO:
        case IMAGE:
        case TENSOR:
            if (p->kind || !delimited(&s, &p->what))
                return 0;
            p->kind = key;
            break;
        case METADATA:
            if (p->has_meta++ || !delimited(&s, &p->meta))
                return 0;
            break;
        default:
            return 0;
        }
    }
    /* Only of a tensor its metadata was taught. */
    return p->name.at != p->name.end && p->kind && (!p->has_meta || p->kind == TENSOR);
}

/* What was taught of such a tensor. */
static u8 taught_of(const ob_values *v, const ob_parts *p, int32_t tag) {
    const ob_tag_entry *entry = &v->names->tags[tag];
    if (!p->has_meta)
        return entry->bare_tensor;
    i64 size = p->meta.end - p->meta.at;
    int same = entry->meta_size == size &&
               !memcmp(v->names->arena + entry->meta, p->meta.at, (size_t)size);
    return same ? entry->meta_tensor : UNTAUGHT;
}

/* Take in a Summary.Value that is no scalar. */
static int read_other(ob_values *v, i64 before, span s, i64 step, double wall) {
    ob_parts p = {0};
    if (!read_fields(s, &p))
        return LEFT;
    int32_t tag = find_tag(v->names, p.name.at, p.name.end - p.name.at);
    if (tag < 0)
        return NO_MEMORY;
    ob_value row = {.step = step, .wall = wall, .tag = tag, .same = -1, .has_meta = p.has_meta};
    int is_read = p.kind == HISTO   ? read_histogram(v, p.what, &row)
                  : p.kind == IMAGE ? read_image(v, p.what, &row)
                                    : read_other_tensor(v, p.what, taught_of(v, &p, tag), &row);
    if (!is_read)
        return LEFT;
    if (row.form == HISTOGRAM)
        find_same(v, &row);
    if (!add_row(v, before, &row))
        return NO_MEMORY;
    v->gathered += octets_of(&row);
    v->names->last = tag;
    return TAKEN;
}

EXPORT i64 ob_values_count(const ob_values *v) { return v->count; }
EXPORT i64 ob_values_gathered(const ob_values *v) { return v->gathered; }
EXPORT const i64 *ob_values_before(const ob_values *v) { return v->before; }

/* Whose tags `ob_tags` and `ob_names` tell. */
EXPORT const ob_columns *ob_values_names(const ob_values *v) { return v->names; }

/* The latest finite wall time, NaN where there is none. */
EXPORT double ob_values_last_wall(const ob_values *v) {
    double last = NAN;
    for (i64 n = 0; n < v->count; n++)
        if (v->rows[n].form && isfinite(v->rows[n].wall) && !(v->rows[n].wall <= last))
            last = v->rows[n].wall;
    return last;
}

EXPORT void ob_values_take(const ob_values *v, ob_value *rows) {
    if (v->count)
        memcpy(rows, v->rows, (size_t)v->count * sizeof *rows);
}
