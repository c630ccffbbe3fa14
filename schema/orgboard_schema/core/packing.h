/* Columns of a block as bytes that compress well, and back. */

/* How many numbers are taken at once to planes of bytes. */
#define ABREAST 16

#if defined(__SSE2__) && defined(__GNUC__)
#include <emmintrin.h>
/* The octets of 16 numbers, of each number its first, then of each its second, and so on. To
 * interleave the halves moves the uppermost bit of each octet's place to the lowest: four times,
 * and what was the number of the number is the place in a plane. */
static void planes_of(const u8 *numbers, int unit, i64 count, u8 *out) {
    __m128i in[8], turned[8];
    for (int n = 0; n < unit; n++)
        in[n] = _mm_loadu_si128((const __m128i *)(numbers + 16 * n));
    for (int round = 0; round < 4; round++) {
        for (int n = 0; n < unit / 2; n++) {
            turned[2 * n] = _mm_unpacklo_epi8(in[n], in[n + unit / 2]);
            turned[2 * n + 1] = _mm_unpackhi_epi8(in[n], in[n + unit / 2]);
        }
        for (int n = 0; n < unit; n++)
            in[n] = turned[n];
    }
    for (int n = 0; n < unit; n++)
        _mm_storeu_si128((__m128i *)(out + n * count), in[n]);
}
#else
static void planes_of(const u8 *numbers, int unit, i64 count, u8 *out) {
    for (int plane = 0; plane < unit; plane++)
        for (int n = 0; n < ABREAST; n++)
            out[plane * count + n] = numbers[n * unit + plane];
}
#endif

static u64 coded_8(u64 plain) { return plain << 1 ^ (u64)((i64)plain >> 63); }
static u32 coded_4(u32 plain) { return plain << 1 ^ (u32)((int32_t)plain >> 31); }

/* Each number's zigzagged difference to the one before, or itself, as planes of bytes. */
EXPORT void ob_pack(const void *numbers, i64 count, int32_t unit, int32_t delta, u8 *out) {
    i64 n = 0;
    if (unit == 8) {
        const u64 *in = numbers;
        u64 before = 0, coded[ABREAST];
        for (; count - n >= ABREAST; n += ABREAST) {
            coded[0] = coded_8(in[n] - (delta ? before : 0));
            for (int k = 1; k < ABREAST; k++)
                coded[k] = coded_8(in[n + k] - (delta ? in[n + k - 1] : 0));
            before = in[n + ABREAST - 1];
            planes_of((const u8 *)coded, 8, count, out + n);
        }
        for (; n < count; n++) {
            coded[0] = coded_8(in[n] - (delta ? before : 0));
            before = in[n];
            for (int plane = 0; plane < 8; plane++)
                out[plane * count + n] = (u8)(coded[0] >> 8 * plane);
        }
    } else {
        const u32 *in = numbers;
        u32 before = 0, coded[ABREAST];
        for (; count - n >= ABREAST; n += ABREAST) {
            coded[0] = coded_4(in[n] - (delta ? before : 0));
            for (int k = 1; k < ABREAST; k++)
                coded[k] = coded_4(in[n + k] - (delta ? in[n + k - 1] : 0));
            before = in[n + ABREAST - 1];
            planes_of((const u8 *)coded, 4, count, out + n);
        }
        for (; n < count; n++) {
            coded[0] = coded_4(in[n] - (delta ? before : 0));
            before = in[n];
            for (int plane = 0; plane < 4; plane++)
                out[plane * count + n] = (u8)(coded[0] >> 8 * plane);
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
