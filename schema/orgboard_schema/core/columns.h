/* The columns of one batch, and the tags in them. */

typedef struct {
    i64 name, name_size; /* where in the arena */
    i64 meta, meta_size; /* the metadata that was learned; size -1: none yet */
    i64 row;             /* of a tag of values, the newest of them */
    int32_t next;        /* the tag that came after this one the last time */
    int32_t mould;       /* of records that begin with it; -1: none yet */
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
    double first_wall;   /* of the first event with a finite one; NaN while there is none */
    double version_wall; /* the latest of the events that say the file's version; likewise */
    int32_t versions;    /* how many of those there were */
    ob_moulds moulds;
} ob_columns;

EXPORT ob_columns *ob_new(u64 seed) {
    ob_columns *columns = calloc(1, sizeof *columns);
    if (columns) {
        columns->seed = seed;
        columns->last = -1;
        columns->first_wall = NAN;
        columns->version_wall = NAN;
        columns->moulds.last = -1;
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
    free_moulds(&columns->moulds);
    free(columns);
}

static int make_room(ob_columns *c, i64 more) {
    if (LIKELY(c->count + more <= c->room))
        return 1;
    i64 room = c->room ? 2 * c->room : 1024;
    while (room < c->count + more)
        room *= 2;
    if (!grow((void **)&c->tag, room, sizeof *c->tag) ||
        !grow((void **)&c->step, room, sizeof *c->step) ||
        !grow((void **)&c->wall, room, sizeof *c->wall) ||
        !grow((void **)&c->value, room, sizeof *c->value) ||
        !grow((void **)&c->width, room, sizeof *c->width))
        return 0;
    c->room = room;
    return 1;
}

INLINE void put(
    ob_columns *c, i64 at, int32_t tag, i64 step, double wall, double value, int8_t width
) {
    c->tag[at] = tag;
    c->step[at] = step;
    c->wall[at] = wall;
    c->value[at] = value;
    c->width[at] = width;
}

static int append(ob_columns *c, int32_t tag, i64 step, double wall, double value, int8_t width) {
    if (!make_room(c, 1))
        return 0;
    put(c, c->count++, tag, step, wall, value, width);
    return 1;
}

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
        ob_tag_entry entry = {.name_size = size, .meta_size = -1, .row = -1, .next = -1, .mould = -1};
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
EXPORT int32_t ob_versions(const ob_columns *c) { return c->versions; }

/* The latest finite wall time, NaN where there is none. */
EXPORT double ob_last_wall(const ob_columns *c) {
    double last = c->version_wall;
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

/* Fill in where the columns lie; they stay there until more is taken in, or all is freed. */
EXPORT void ob_columns_at(const ob_columns *c, const void **at) {
    const void *columns[5] = {c->tag, c->step, c->wall, c->value, c->width};
    memcpy(at, columns, sizeof columns);
}
