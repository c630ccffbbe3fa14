/* Columns of a block as bytes that compress well, and back. */

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

/* Counts as integers, where they are and no bit is lost by it; returns whether. */
EXPORT int32_t ob_whole(const double *counts, i64 count, i64 *out) {
    for (i64 n = 0; n < count; n++) {
        if (!(fabs(counts[n]) < 9007199254740992.0))
            return 0;
        out[n] = (i64)counts[n];
        double back = (double)out[n];
        if (memcmp(&back, &counts[n], 8))
            return 0;
    }
    return 1;
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
