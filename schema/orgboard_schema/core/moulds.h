/* What a record looked like the last time, with holes for what changes: a writer's records of the
 * same tags differ in wall time, step and values. One that fits a mould is taken in as the record
 * that made it was, and nothing else of it is looked at. */

typedef struct {
    i64 at; /* in the payload */
    int32_t tag;
    int8_t width;
} ob_hole;

typedef struct {
    u8 *bytes; /* the payload, then which of its bits have to be the same */
    ob_hole *holes;
    i64 length, room, hole_count, hole_room;
    i64 wall, step; /* where they lie; -1: nowhere, they are 0 */
    int32_t step_size;
    int32_t next; /* the mould of the record that came after this one the last time */
    int32_t made, used;
} ob_mould;

typedef struct {
    ob_mould *all;
    ob_hole *holes; /* of the record that is read */
    const u8 *wall, *step;
    i64 count, room, hole_count, hole_room;
    int32_t step_size, last;
    int plain; /* whether all that the record says is in its holes */
} ob_moulds;

/* Records beyond either are read as they are: few tags are logged by the thousand in turn. */
#define MOST_MOULDS 1024
#define LARGEST_MOULD 4096
/* A mould made so many times without being of use is not made again. */
#define MADE_IN_VAIN 16

static void free_moulds(ob_moulds *m) {
    for (i64 n = 0; n < m->count; n++) {
        free(m->all[n].bytes);
        free(m->all[n].holes);
    }
    free(m->all);
    free(m->holes);
}

static int make_hole(ob_moulds *m, const u8 *payload, int32_t tag, int width) {
    if (!m->plain)
        return 1;
    if (m->hole_count == m->hole_room) {
        i64 room = m->hole_room ? 2 * m->hole_room : 16;
        if (!grow((void **)&m->holes, room, sizeof *m->holes))
            return 0;
        m->hole_room = room;
    }
    m->holes[m->hole_count++] = (ob_hole){(i64)(uintptr_t)payload, tag, (int8_t)width};
    return 1;
}

static void begin_mould(ob_moulds *m, i64 length) {
    m->plain = length >= 8 && length <= LARGEST_MOULD;
    m->hole_count = 0;
    m->wall = m->step = 0;
}

/* The place of the mould for records that begin with this tag; -1: there is none. */
static int32_t mould_of(ob_moulds *m, int32_t *known) {
    if (*known >= 0)
        return *known;
    if (m->count == MOST_MOULDS)
        return -1;
    if (m->count == m->room) {
        i64 room = m->room ? 2 * m->room : 16;
        if (!grow((void **)&m->all, room, sizeof *m->all))
            return -1;
        m->room = room;
    }
    m->all[m->count] = (ob_mould){.next = -1};
    return *known = (int32_t)m->count++;
}

/* Make a mould of the record that was just taken in. Without memory there is none. */
static void end_mould(ob_moulds *m, const u8 *payload, i64 length, int32_t *known) {
    int32_t before = m->last;
    m->last = -1;
    int32_t place = mould_of(m, known);
    if (place < 0)
        return;
    if (before >= 0)
        m->all[before].next = place;
    m->last = place;
    ob_mould *mould = &m->all[place];
    if (mould->made >= MADE_IN_VAIN && mould->used <= mould->made)
        return;
    mould->length = 0;
    if ((length > mould->room && !grow((void **)&mould->bytes, 2 * length, 1)) ||
        (m->hole_count > mould->hole_room &&
         !grow((void **)&mould->holes, m->hole_count, sizeof *mould->holes)))
        return;
    if (length > mould->room)
        mould->room = length;
    if (m->hole_count > mould->hole_room)
        mould->hole_room = m->hole_count;
    u8 *bits = mould->bytes + mould->room;
    memcpy(mould->bytes, payload, (size_t)length);
    memset(bits, 0xFF, (size_t)length);
    for (i64 n = 0; n < m->hole_count; n++) {
        ob_hole hole = m->holes[n];
        hole.at -= (i64)(uintptr_t)payload;
        memset(bits + hole.at, 0, (size_t)hole.width);
        mould->holes[n] = hole;
    }
    mould->hole_count = m->hole_count;
    mould->wall = m->wall ? m->wall - payload : -1;
    if (m->wall)
        memset(bits + mould->wall, 0, 8);
    mould->step = m->step ? m->step - payload : -1;
    mould->step_size = m->step_size;
    for (int32_t n = 0; m->step && n < m->step_size; n++)
        /* As many octets as before; of a tenth only the lowest bit counts. */
        bits[mould->step + n] = n == 9 ? 0xFE : 0x80;
    mould->length = length;
    mould->made++;
}

static int fits(const ob_mould *mould, const u8 *payload) {
    const u8 *same = mould->bytes, *bits = same + mould->room;
    i64 last = mould->length - 8;
    u64 differ = 0;
    for (i64 n = 0; n < mould->length; n += 8) {
        u64 found, known, which;
        i64 at = n < last ? n : last;
        memcpy(&found, payload + at, 8);
        memcpy(&known, same + at, 8);
        memcpy(&which, bits + at, 8);
        differ |= (found ^ known) & which;
    }
    return !differ;
}

/* The mould that this record fits, of those that come to mind; 0: none. */
static ob_mould *find_mould(ob_moulds *m, const u8 *payload, i64 length) {
    if (m->last < 0)
        return 0;
    int32_t next = m->all[m->last].next;
    if (next < 0 || m->all[next].length != length || !fits(&m->all[next], payload))
        return 0;
    m->last = next;
    m->all[next].used += m->all[next].used < INT32_MAX;
    return &m->all[next];
}
