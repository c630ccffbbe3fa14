/* CRC-32C, by the processor where it can. */

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
    u32 rest = (u32)crc;
    if (size & 4) {
        u32 half;
        memcpy(&half, at, 4);
        rest = _mm_crc32_u32(rest, half);
        at += 4;
    }
    if (size & 2) {
        uint16_t quarter;
        memcpy(&quarter, at, 2);
        rest = _mm_crc32_u16(rest, quarter);
        at += 2;
    }
    if (size & 1)
        rest = _mm_crc32_u8(rest, *at);
    return ~rest;
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

static u32 masked(u32 crc) { return (crc >> 15 | crc << 17) + 0xA282EAD8u; }
