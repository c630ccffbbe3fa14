/* Histograms as they are drawn, and how far two of them are apart. */

/* Of each of `n` histograms, whose counts lie one after the other, so many each: the places of
 * its first and its last count above 0, 0 and -1 where there is none. Returns how many buckets
 * stand between them in all. */
EXPORT i64 ob_inner_buckets(
    const double *counts, const i64 *lengths, i64 n, i64 *first, i64 *last
) {
    i64 inner = 0;
    for (i64 h = 0; h < n; counts += lengths[h++]) {
        first[h] = 0;
        last[h] = lengths[h] - 1;
        while (last[h] >= 0 && !(counts[last[h]] > 0))
            last[h]--;
        if (last[h] < 0)
            continue;
        while (!(counts[first[h]] > 0))
            first[h]++;
        inner += last[h] - first[h] + 1;
    }
    return inner;
}

/* The buckets from `first` to `last` of each, of which histogram `h` has right edges from
 * edges[edge_at[h]] on. The first bucket of all edges is open to the left. */
EXPORT void ob_plain_buckets(
    const double *edges, const i64 *edge_at, const double *counts, const i64 *lengths, i64 n,
    const i64 *first, const i64 *last, double *left, double *right, double *count
) {
    for (i64 h = 0; h < n; counts += lengths[h++]) {
        i64 inner = last[h] - first[h] + 1;
        if (inner <= 0)
            continue;
        const double *own = edges + edge_at[h] + first[h];
        memcpy(right, own, (size_t)inner * sizeof *right);
        memcpy(count, counts + first[h], (size_t)inner * sizeof *count);
        left[0] = first[h] ? own[-1] : -INFINITY;
        memcpy(left + 1, own, (size_t)(inner - 1) * sizeof *left);
        left += inner;
        right += inner;
        count += inner;
    }
}

static double within_one(double share) {
    return share < 0 ? 0 : share > 1 ? 1 : share;
}

/* The cumulative shares of each at `most` + 1 edges: those of its own buckets, the last one
 * again and again where they are fewer, and where they are more cut evenly by what is reached.
 * Zeros and NaN where nothing is counted. Returns -1 without memory. */
EXPORT int32_t ob_shares(
    const double *left, const double *right, const double *count, const i64 *lengths, i64 n,
    i64 most, double *edges, double *reached
) {
    i64 longest = 0;
    for (i64 h = 0; h < n; h++)
        longest = lengths[h] > longest ? lengths[h] : longest;
    double *running = malloc((size_t)(longest + 1) * sizeof *running);
    if (!running)
        return -1;
    for (i64 h = 0; h < n; h++, edges += most + 1, reached += most + 1) {
        i64 own = lengths[h], at = 0;
        double total = 0;
        for (i64 b = 0; b < own; b++)
            running[b] = total += count[b];
        if (total > 0) {
            edges[0] = left[0];
            reached[0] = 0;
        }
        for (i64 cut = 1; total > 0 && cut <= most; cut++) {
            if (own <= most) {
                at = cut < own ? cut - 1 : own - 1;
            } else if (cut == most) {
                at = own - 1;
            } else {
                double wanted = total * ((double)cut / (double)most);
                while (at < own - 1 && running[at] < wanted)
                    at++;
            }
            double edge = right[at];
            edges[cut] = cut > 1 && edges[cut - 1] > edge ? edges[cut - 1] : edge;
            reached[cut] = within_one(running[at] / total);
        }
        for (i64 cut = 0; !(total > 0) && cut <= most; cut++) {
            edges[cut] = 0;
            reached[cut] = NAN;
        }
        left += own;
        right += own;
        count += own;
    }
    free(running);
    return 0;
}

/* One of a pair: its edges, what is reached there, and how steeply that rises from each. */
typedef struct {
    const double *edges, *reached;
    double *rise;
} ob_line;

static ob_line line_of(const double *edges, const double *reached, i64 width, double *rise) {
    for (i64 n = 0; n < width; n++) {
        double wide = n + 1 < width ? edges[n + 1] - edges[n] : 0;
        rise[n] = wide > 0 ? (reached[n + 1] - reached[n]) / wide : 0;
    }
    return (ob_line){edges, reached, rise};
}

/* What is reached at a place with so many edges at or before it. */
static double reached_at(const ob_line *line, i64 passed, double at) {
    i64 low = passed ? passed - 1 : 0;
    double share = line->reached[low] + line->rise[low] * (at - line->edges[low]);
    return passed || isnan(share) ? within_one(share) : 0;
}

/* The edges of both in order, of equal ones the first's first, and what each has reached there. */
static void both_lines(
    const ob_line *one, const ob_line *other, i64 width, double *at, double *first, double *second
) {
    i64 a = 0, b = 0;
    for (i64 n = 0; n < 2 * width; n++) {
        int is_own = b == width || (a < width && one->edges[a] <= other->edges[b]);
        at[n] = is_own ? one->edges[a++] : other->edges[b++];
        first[n] = reached_at(one, a, at[n]);
        second[n] = reached_at(other, b, at[n]);
    }
}

/* Wasserstein-1 of pairs of rows. `space` has room for 8 numbers an edge. */
EXPORT void ob_wasserstein(
    const double *edges, const double *reached, i64 width, const i64 *one, const i64 *other,
    i64 pairs, double *space, double *found
) {
    double *at = space + 2 * width, *first = at + 2 * width, *second = first + 2 * width;
    for (i64 n = 0; n < pairs; n++) {
        i64 a = one[n] * width, b = other[n] * width;
        ob_line mine = line_of(edges + a, reached + a, width, space);
        ob_line theirs = line_of(edges + b, reached + b, width, space + width);
        both_lines(&mine, &theirs, width, at, first, second);
        double sum = 0, low = first[0] - second[0];
        for (i64 cell = 1; cell < 2 * width; cell++) {
            double high = first[cell] - second[cell], area = fabs(low) + fabs(high);
            /* A line that crosses 0 has two triangles. */
            if (low * high < 0)
                area = (low * low + high * high) / area;
            sum += area * (at[cell] - at[cell - 1]);
            low = high;
        }
        found[n] = sum / 2;
    }
}

/* The shares of both of each pair of rows in the cells between their edges, of the cells in which
 * one has any; `cells`: how many each. What happens at one place is in one cell. `space` as above.
 * Returns how many there are in all. */
EXPORT i64 ob_cells(
    const double *edges, const double *reached, i64 width, const i64 *one, const i64 *other,
    i64 pairs, double *space, double *p, double *q, i64 *cells
) {
    double *at = space + 2 * width, *first = at + 2 * width, *second = first + 2 * width;
    i64 made = 0;
    for (i64 n = 0; n < pairs; n++) {
        i64 a = one[n] * width, b = other[n] * width, begun = 0, from = made;
        ob_line mine = line_of(edges + a, reached + a, width, space);
        ob_line theirs = line_of(edges + b, reached + b, width, space + width);
        both_lines(&mine, &theirs, width, at, first, second);
        double before = 0, other_before = 0;
        for (i64 place = 0; place < 2 * width; place++) {
            if (place && at[place] > at[place - 1])
                begun = place;
            int is_last = place + 1 == 2 * width || at[place + 1] > at[place];
            double here = first[is_last ? place : begun];
            double there = second[is_last ? place : begun];
            double mine_in = here - before, theirs_in = there - other_before;
            if (place && (mine_in > 0 || theirs_in > 0)) {
                p[made] = mine_in;
                q[made++] = theirs_in;
            }
            before = here;
            other_before = there;
        }
        cells[n] = made - from;
    }
    return made;
}
