/* What to say of points without keeping them; points grouped by series. */

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
 * has room for one number a tag and one more. Returns how many pieces there are, those beyond
 * `room` not told; -1 without memory. */
EXPORT i64 ob_group(
    i64 count, const int32_t *tag, const i64 *step, const double *wall, const double *value,
    const int8_t *width, i64 tag_count, const i64 *cuts, i64 cut_count, i64 *counts, i64 *steps,
    double *walls, double *values, float *narrow, int8_t *widths, ob_piece *pieces, i64 room
) {
    i64 found = 0, *places = malloc((size_t)(count + 1) * sizeof *places);
    if (!places)
        return -1;
    for (i64 section = 0; section <= cut_count; section++) {
        i64 from = section ? cuts[section - 1] : 0;
        i64 to = section < cut_count ? cuts[section] : count;
        if (from >= to)
            continue;
        if (tag_count == 1) {
            size_t points = (size_t)(to - from);
            memcpy(steps + from, step + from, points * sizeof *steps);
            memcpy(walls + from, wall + from, points * sizeof *walls);
            memcpy(values + from, value + from, points * sizeof *values);
            memcpy(widths + from, width + from, points * sizeof *widths);
            for (i64 n = from; n < to; n++)
                narrow[n] = (float)value[n];
            counts[0] = to;
        } else {
            memset(counts, 0, (size_t)(tag_count + 1) * sizeof *counts);
            for (i64 n = from; n < to; n++)
                counts[tag[n] + 1]++;
            counts[0] = from;
            for (i64 t = 0; t < tag_count; t++)
                counts[t + 1] += counts[t];
            for (i64 n = from; n < to; n++)
                places[n] = counts[tag[n]]++;
            /* Column by column: all of them at once would write to a hundred pages in turn. */
            for (i64 n = from; n < to; n++)
                steps[places[n]] = step[n];
            for (i64 n = from; n < to; n++)
                walls[places[n]] = wall[n];
            for (i64 n = from; n < to; n++) {
                values[places[n]] = value[n];
                narrow[places[n]] = (float)value[n];
            }
            for (i64 n = from; n < to; n++)
                widths[places[n]] = width[n];
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
    free(places);
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

/* A block of scalars, before it is compressed: the width, steps, wall times and values as columns
 * one after the other, each behind its length. */
static void block(
    const i64 *step, const double *wall, const void *value, i64 count, int32_t width, u8 *out
) {
    const i64 one = width;
    const struct {
        const void *numbers;
        i64 count;
        int32_t unit, delta;
    } columns[] = {{&one, 1, 8, 0}, {step, count, 8, 1}, {wall, count, 8, 1},
                   {value, count, width, 1}};
    for (int n = 0; n < 4; n++) {
        u32 length = (u32)columns[n].count;
        memcpy(out, &length, 4);
        ob_pack(columns[n].numbers, columns[n].count, columns[n].unit, columns[n].delta, out + 4);
        out += 4 + columns[n].count * columns[n].unit;
    }
}

/* Points of one series as blocks of `each`, the last one of what is left. A block takes 24 bytes,
 * and 16 and `width` a point; `out` has room for all of them, one after the other. `rows` say
 * what the points of each say. */
EXPORT void ob_blocks(
    const i64 *step, const double *wall, const void *value, i64 count, i64 each, int32_t width,
    u8 *out, ob_row *rows
) {
    for (i64 from = 0; from < count; from += each) {
        i64 points = count - from < each ? count - from : each;
        const u8 *values = (const u8 *)value + from * width;
        block(step + from, wall + from, values, points, width, out);
        ob_summarise(step + from, wall + from, values, points, width, rows++);
        out += 24 + points * (16 + width);
    }
}

typedef struct {
    i64 *non_finite, *step, *step_range;
    double *wall, *wall_range, *mean;
    void *value;
    u8 *steps_ascend, *walls_ascend;
} ob_buckets_out;

static double value_at(const void *value, i64 n, int32_t width) {
    return width == 4 ? (double)((const float *)value)[n] : ((const double *)value)[n];
}

/* Of one stretch of points its place `j` among `m`: what the pyramid keeps. */
static void bucket(
    const i64 *step, const double *wall, const void *value, i64 from, i64 count, i64 full,
    int32_t width, i64 j, i64 m, const ob_buckets_out *out
) {
    i64 finite = 0, first = 0, last = count - 1, low = 0, high = 0;
    double least = 0, most = 0, wall_least = NAN, wall_most = NAN;
    i64 step_least = step[from], step_most = step[from];
    u8 steps_ascend = 1, walls_ascend = 1;
    for (i64 i = 0; i < count; i++) {
        i64 n = from + i;
        double v = value_at(value, n, width);
        if (isfinite(v)) {
            if (!finite++) {
                first = low = high = i;
                least = most = v;
            }
            last = i;
            if (v < least) {
                least = v;
                low = i;
            }
            if (v > most) {
                most = v;
                high = i;
            }
        }
        if (step[n] < step_least)
            step_least = step[n];
        if (step[n] > step_most)
            step_most = step[n];
        if (isfinite(wall[n])) {
            if (!(wall[n] >= wall_least))
                wall_least = wall[n];
            if (!(wall[n] <= wall_most))
                wall_most = wall[n];
        } else {
            walls_ascend = 0;
        }
        if (i && step[n] < step[n - 1])
            steps_ascend = 0;
        if (i && !(wall[n] >= wall[n - 1]))
            walls_ascend = 0;
    }
    /* One after the other, as its twin adds; each part divided first, against overflow. */
    double mean = 0, number = finite ? (double)finite : 1;
    for (i64 i = 0; i < count; i++) {
        double v = value_at(value, from + i, width);
        double part = isfinite(v) ? v / number : 0.0;
        mean = i ? mean + part : part;
    }
    if (count < full)
        mean += 0.0;
    const i64 chosen[4] = {first, last, low, high};
    for (int k = 0; k < 4; k++) {
        i64 n = from + chosen[k];
        out->step[k * m + j] = step[n];
        out->wall[k * m + j] = wall[n];
        memcpy((u8 *)out->value + (k * m + j) * width, (const u8 *)value + n * width,
               (size_t)width);
    }
    out->non_finite[j] = count - finite;
    out->step_range[j] = step_least;
    out->step_range[m + j] = step_most;
    out->wall_range[j] = wall_least;
    out->wall_range[m + j] = wall_most;
    out->mean[j] = mean;
    out->steps_ascend[j] = steps_ascend;
    out->walls_ascend[j] = walls_ascend;
}

/* The stretches, `full` points long but for each block's last, of blocks of those lengths that
 * lie one after the other; `m` is how many there are in all. */
EXPORT void ob_buckets(
    const i64 *step, const double *wall, const void *value, int32_t width, const i64 *lengths,
    i64 blocks, i64 full, i64 m, const ob_buckets_out *out
) {
    i64 from = 0, j = 0;
    for (i64 b = 0; b < blocks; b++)
        for (i64 left = lengths[b]; left > 0 && j < m;) {
            i64 count = left < full ? left : full;
            bucket(step, wall, value, from, count, full, width, j++, m, out);
            from += count;
            left -= count;
        }
}
