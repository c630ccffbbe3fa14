/* Nodes of a GraphDef, or of one of its functions, as columns.
 *
 * A node is read only when protobuf could not find anything else in it: its fields are known, of
 * the form that writers give them, its texts are ASCII, and it is not large. What is not so is
 * left, with its place, to Python and protobuf. */

#define MOST_OCTETS 4096 /* of a node that is read: what Python keeps of it, too */
#define MOST_INSIDE 16   /* messages within one another */

/* What a field of a message may be; messages that may stand in it follow. */
enum {
    NOTHING, A_NUMBER, A_FLOAT, A_TEXT, SOME_BYTES, NUMBERS, SOME_FLOATS, SOME_DOUBLES,
    A_DIM, A_SHAPE, A_TENSOR, A_LIST, A_FUNCTION, AN_ATTR, AN_ENTRY, KINDS
};

#define MOST_FIELDS 19

static const u8 kinds_of[KINDS][MOST_FIELDS] = {
    [A_DIM] = {[1] = A_NUMBER, [2] = SOME_BYTES},
    [A_SHAPE] = {[2] = A_DIM, [3] = A_NUMBER},
    [A_TENSOR] = {[1] = A_NUMBER, A_SHAPE, A_NUMBER, SOME_BYTES, SOME_FLOATS, SOME_DOUBLES,
                  NUMBERS, SOME_BYTES, SOME_FLOATS, NUMBERS, NUMBERS, SOME_DOUBLES, NUMBERS,
                  SOME_BYTES, SOME_BYTES, NUMBERS, NUMBERS, SOME_BYTES},
    [A_LIST] = {[2] = SOME_BYTES, NUMBERS, SOME_FLOATS, NUMBERS, NUMBERS, A_SHAPE, A_TENSOR,
                A_FUNCTION},
    [A_FUNCTION] = {[1] = A_TEXT, AN_ENTRY},
    [AN_ATTR] = {[1] = A_LIST, SOME_BYTES, A_NUMBER, A_FLOAT, A_NUMBER, A_NUMBER, A_SHAPE,
                 A_TENSOR, A_TEXT, A_FUNCTION},
    [AN_ENTRY] = {[1] = A_TEXT, AN_ATTR},
};

typedef struct {
    u32 number, wire;
    span body; /* the number itself, or what has a length */
} ob_field;

/* Take the next field, of which key and length are written as short as can be; 0: leave it. */
static int next_field(span *s, ob_field *f) {
    u64 key;
    const u8 *begun = s->at;
    if (!varint(s, &key) || s->at - begun > 2 || (s->at - begun == 2 && !s->at[-1]))
        return 0;
    f->number = (u32)(key >> 3);
    f->wire = (u32)(key & 7);
    if (!f->number)
        return 0;
    f->body.at = begun = s->at;
    if (f->wire == 2) {
        u64 size;
        if (!varint(s, &size) || size > (u64)(s->end - s->at) ||
            (s->at - begun > 1 && !s->at[-1]))
            return 0;
        f->body.at = s->at;
        s->at += size;
    } else if (f->wire == 0) {
        u64 value;
        if (!varint(s, &value))
            return 0;
    } else if (f->wire == 1 || f->wire == 5) {
        i64 size = f->wire == 1 ? 8 : 4;
        if (s->end - s->at < size)
            return 0;
        s->at += size;
    } else {
        return 0;
    }
    f->body.end = s->at;
    return 1;
}

/* Python separates texts with NUL. */
static int is_ascii(span s) {
    u8 odd = 0;
    for (; s.at < s.end; s.at++)
        odd |= (u8)(*s.at & 0x80) | (u8)!*s.at;
    return !odd;
}

static int are_numbers(span s) {
    u64 value;
    while (s.at < s.end)
        if (!varint(&s, &value))
            return 0;
    return 1;
}

static int is_message(span s, int kind, int inside);

static int is_field(const ob_field *f, int kind, int inside) {
    i64 size = f->body.end - f->body.at;
    switch (kind) {
    case NOTHING:
        return 0;
    case A_NUMBER:
        return f->wire == 0;
    case A_FLOAT:
        return f->wire == 5;
    case A_TEXT:
        return f->wire == 2 && is_ascii(f->body);
    case SOME_BYTES:
        return f->wire == 2;
    case NUMBERS:
        return f->wire == 0 || (f->wire == 2 && are_numbers(f->body));
    case SOME_FLOATS:
        return f->wire == 5 || (f->wire == 2 && size % 4 == 0);
    case SOME_DOUBLES:
        return f->wire == 1 || (f->wire == 2 && size % 8 == 0);
    default:
        return f->wire == 2 && is_message(f->body, kind, inside + 1);
    }
}

/* Whether all fields of a message are known ones; of an attribute at most one. */
static int is_message(span s, int kind, int inside) {
    ob_field f;
    if (inside > MOST_INSIDE)
        return 0;
    for (int count = 0; s.at < s.end; count++)
        if (!next_field(&s, &f) || f.number >= MOST_FIELDS || (kind == AN_ATTR && count) ||
            !is_field(&f, kinds_of[kind][f.number], inside))
            return 0;
    return 1;
}

/* In place of a word: the attribute is not there, or not of the kind that is asked for. */
enum { ABSENT = -1, OF_ANOTHER_KIND = -2 };

/* What "parameters" of a node is. */
enum { NOT_TOLD, AS_NUMBER, AS_STRING, AS_SOMETHING_ELSE };

typedef struct {
    i64 at, size;        /* where its bytes lie */
    i64 parameters;      /* what is told of them, as a number */
    int32_t left;        /* the number of a field that is left to Python; 0: what follows is read */
    int32_t name;        /* where it begins in the text of names */
    int32_t inputs, told;
    int32_t op, device;  /* words */
    int32_t cluster;     /* words of bytes, or absent, as all that follow */
    int32_t listed;      /* the attribute "_output_shapes" */
    int32_t value, shape; /* the shape of "value", a tensor, and "shape" */
} ob_node;

typedef struct {
    u8 *at;
    i64 used, room;
} ob_text;

typedef struct {
    ob_node *rows;
    i64 count, room;
    ob_text names, inputs; /* each ends with NUL */
    ob_columns *words;     /* operations, devices, shapes: what many nodes have in common */
    int lacks_memory;
} ob_graph;

EXPORT ob_graph *ob_graph_new(u64 seed) {
    ob_graph *g = calloc(1, sizeof *g);
    if (g && !(g->words = ob_new(seed))) {
        free(g);
        return 0;
    }
    return g;
}

EXPORT void ob_graph_free(ob_graph *g) {
    if (!g)
        return;
    ob_free(g->words);
    free(g->rows);
    free(g->names.at);
    free(g->inputs.at);
    free(g);
}

static int add_text(ob_text *text, span s) {
    i64 size = s.end - s.at;
    if (text->used + size >= text->room) {
        i64 room = 2 * (text->used + size) + 4096;
        if (!grow((void **)&text->at, room, 1))
            return 0;
        text->room = room;
    }
    if (size)
        memcpy(text->at + text->used, s.at, (size_t)size);
    text->at[text->used + size] = 0;
    text->used += size + 1;
    return 1;
}

/* Return the number of a word; that there is no memory for it is noted. */
static int32_t word(ob_graph *g, span s) {
    /* A text that is not there has no place. */
    int32_t found = find_tag(g->words, s.at ? s.at : (const u8 *)"", s.end - s.at);
    g->lacks_memory |= found < 0;
    return found;
}

/* The attributes of a node that are asked for. */
enum { LISTED, OF_VALUE, OF_SHAPE, CLUSTER, SCOPE, PARAMETERS, ASKED };

static const char *const asked[ASKED] = {
    "_output_shapes", "value", "shape", "_XlaCluster", "_XlaScope", "parameters"};

typedef struct {
    span name, op, device, attrs[ASKED];
} ob_said;

/* Read an entry of the attributes; 0: leave the node. */
static int read_entry(span s, ob_said *said) {
    ob_field key, value;
    if (!next_field(&s, &key) || key.number != 1 || !is_field(&key, A_TEXT, 1) ||
        !next_field(&s, &value) || value.number != 2 || !is_field(&value, AN_ATTR, 1) ||
        s.at < s.end)
        return 0;
    size_t size = (size_t)(key.body.end - key.body.at);
    for (int n = 0; n < ASKED; n++) {
        if (strlen(asked[n]) != size || memcmp(asked[n], key.body.at, size))
            continue;
        if (said->attrs[n].at)
            return 0;
        said->attrs[n] = value.body;
    }
    return 1;
}

/* The one field of an attribute, if it is of that number. */
static int is_of(span attr, u32 number, ob_field *f) {
    return attr.at && attr.at < attr.end && next_field(&attr, f) && f->number == number;
}

static int32_t cluster_of(ob_graph *g, const ob_said *said) {
    ob_field f;
    span attr = said->attrs[said->attrs[CLUSTER].at ? CLUSTER : SCOPE];
    return is_of(attr, 2, &f) ? word(g, f.body) : ABSENT;
}

/* The word of a shape: "shape" itself, or that of the tensor "value". */
static int32_t shape_of(ob_graph *g, span attr, int is_tensor) {
    ob_field f, part;
    if (!attr.at)
        return ABSENT;
    if (!is_of(attr, is_tensor ? 8 : 7, &f))
        return OF_ANOTHER_KIND;
    if (!is_tensor)
        return word(g, f.body);
    span shape = {f.body.at, f.body.at};
    while (f.body.at < f.body.end && next_field(&f.body, &part))
        if (part.number == 2)
            shape = part.body;
    return word(g, shape);
}

static void read_parameters(span attr, ob_node *row) {
    ob_field f;
    u64 number;
    if (!attr.at) {
        row->told = NOT_TOLD;
    } else if (is_of(attr, 3, &f)) {
        row->told = AS_NUMBER;
        varint(&f.body, &number);
        row->parameters = (i64)number;
    } else {
        row->told = is_of(attr, 2, &f) ? AS_STRING : AS_SOMETHING_ELSE;
    }
}

/* A tensor's shape that comes twice is both, one after the other. */
static int has_one_shape(span attr) {
    ob_field f, part;
    int shapes = 0;
    if (is_of(attr, 8, &f))
        while (f.body.at < f.body.end && next_field(&f.body, &part))
            shapes += part.number == 2;
    return shapes <= 1;
}

/* Find what a node says, and put its inputs down; 0: leave it. */
static int read_node(ob_graph *g, span s, ob_said *said, ob_node *row) {
    ob_field f;
    span *const once[] = {0, &said->name, &said->op, 0, &said->device};
    if (s.end - s.at > MOST_OCTETS)
        return LEFT;
    while (s.at < s.end) {
        if (!next_field(&s, &f) || f.wire != 2 || f.number > 5)
            return LEFT;
        if (f.number == 5) {
            if (!read_entry(f.body, said))
                return LEFT;
            continue;
        }
        span *text = once[f.number];
        if (!is_ascii(f.body) || (text && text->at))
            return LEFT;
        if (text) {
            *text = f.body;
        } else {
            if (!add_text(&g->inputs, f.body))
                return NO_MEMORY;
            row->inputs++;
        }
    }
    return has_one_shape(said->attrs[OF_VALUE]) ? TAKEN : LEFT;
}

/* Put down what a node said; 0 without memory. */
static int fill_in(ob_graph *g, const ob_said *said, ob_node *row) {
    row->name = (int32_t)g->names.used;
    row->op = word(g, said->op);
    row->device = word(g, said->device);
    row->cluster = cluster_of(g, said);
    row->listed = said->attrs[LISTED].at ? word(g, said->attrs[LISTED]) : ABSENT;
    row->value = shape_of(g, said->attrs[OF_VALUE], 1);
    row->shape = shape_of(g, said->attrs[OF_SHAPE], 0);
    read_parameters(said->attrs[PARAMETERS], row);
    return !g->lacks_memory && add_text(&g->names, said->name);
}

static ob_node *new_row(ob_graph *g) {
    if (g->count == g->room) {
        i64 room = g->room ? 2 * g->room : 256;
        if (!grow((void **)&g->rows, room, sizeof *g->rows))
            return 0;
        g->room = room;
    }
    ob_node *row = &g->rows[g->count++];
    *row = (ob_node){0};
    return row;
}

/* Read a message from `at` on, of which each field `node` is a node; of the fields whose bits are
 * set in `others` the place is kept, in order with the nodes. Return where that ends: behind the
 * message, or behind as many rows as are asked for, or where it stops to be plainly a message;
 * -1 without memory. */
EXPORT i64 ob_graph_read(
    ob_graph *g, const u8 *data, i64 size, i64 at, u32 node, u32 others, i64 most
) {
    span s = {data + at, data + size};
    ob_field f;
    while (s.at < s.end && g->count < most) {
        const u8 *begun = s.at;
        if (!next_field(&s, &f))
            return begun - data;
        if (f.wire != 2 || (f.number != node && (f.number > 31 || !(others >> f.number & 1))))
            continue;
        ob_node *row = new_row(g);
        if (!row)
            return -1;
        row->at = f.body.at - data;
        row->size = f.body.end - f.body.at;
        row->left = (int32_t)f.number;
        if (f.number != node)
            continue;
        ob_said said = {0};
        i64 inputs = g->inputs.used;
        int is_read = read_node(g, f.body, &said, row);
        if (is_read == NO_MEMORY)
            return -1;
        if (is_read == LEFT) {
            g->inputs.used = inputs;
            row->inputs = 0;
        } else {
            row->left = 0;
            if (!fill_in(g, &said, row))
                return -1;
        }
    }
    return s.at - data;
}

/* The slot of a name: that of its node, or the free one where it belongs. */
static int32_t *slot_named(const ob_graph *g, int32_t *slots, i64 room, const char *name) {
    u64 hash = hash_of(g->words, (const u8 *)name, (i64)strlen(name));
    i64 slot = (i64)(hash & (u64)(room - 1));
    while (slots[slot] &&
           strcmp((const char *)g->names.at + g->rows[slots[slot] - 1].name, name))
        slot = (slot + 1) & (room - 1);
    return &slots[slot];
}

/* Of each input, the row of the node that it names as it is; ABSENT where it says more than a
 * name, or names none of these. Return 0 where two nodes have one name, -1 without memory. */
EXPORT int32_t ob_graph_tie(const ob_graph *g, int32_t *sources) {
    i64 room = 64;
    while (room < 2 * g->count)
        room *= 2;
    int32_t *slots = calloc((size_t)room, sizeof *slots); /* row + 1, 0 where free */
    if (!slots)
        return -1;
    int32_t is_tied = 1;
    for (i64 row = 0; row < g->count && is_tied; row++) {
        if (g->rows[row].left)
            continue;
        int32_t *slot = slot_named(g, slots, room, (const char *)g->names.at + g->rows[row].name);
        is_tied = !*slot;
        *slot = (int32_t)row + 1;
    }
    const char *text = g->inputs.used ? (const char *)g->inputs.at : "";
    const char *end = text + g->inputs.used;
    for (; text < end && is_tied; text += strlen(text) + 1)
        *sources++ = *slot_named(g, slots, room, text) - 1;
    free(slots);
    return is_tied;
}

/* Where the rows lie, all names and all inputs, and how much of each there is; they stay there
 * until more is read, or all is freed. */
EXPORT void ob_graph_at(const ob_graph *g, const void **at, i64 *used) {
    const void *columns[3] = {g->rows, g->names.at, g->inputs.at};
    const i64 counts[3] = {g->count, g->names.used, g->inputs.used};
    memcpy(at, columns, sizeof columns);
    memcpy(used, counts, sizeof counts);
}

/* What `ob_tags` and `ob_names` tell the words of. */
EXPORT const ob_columns *ob_graph_words(const ob_graph *g) { return g->words; }
