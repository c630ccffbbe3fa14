/* The compiled core: what reading event files and packing columns spend their time in.
 *
 *   ob_scan       sound records of plain values -> columns of scalars, and where the bytes of
 *                 histograms, texts and pictures lie; checksums and all
 *   ob_pack       a column of numbers -> differences, zigzag, shuffled bytes; ob_unpack back
 *   ob_group      the points of a batch, series by series, and what each says
 *   ob_blocks     blocks of scalars as bytes, and what their rows say of them
 *   ob_segment    a batch of scalars as bytes; ob_count_pieces, what the run's heads say of it
 *   ob_heads_at   one series of many runs' heads
 *   ob_shares     histograms as lines, and from pair to pair ob_wasserstein and ob_cells
 *   ob_graph_read nodes of a computation graph -> columns
 *
 * Every function here has a twin in Python that defines what it does, bit for bit; this file
 * may be absent. It parses bytes that nobody vouches for: each read is bounded before it is
 * made, and what is not plainly a known value is left to protobuf, never judged.
 *
 * No global is written after ob_version was called, so that threads need no lock. Little-endian
 * machines only.
 */

#include "base.h"
#include "checksum.h"
#include "moulds.h"
#include "columns.h"
#include "fields.h"
#include "values.h"
#include "records.h"
#include "packing.h"
#include "summaries.h"
#include "heads.h"
#include "histograms.h"
#include "graphs.h"

#define OB_VERSION 9

/* Call once, before anything else and from one thread; `plain` chooses the table over the
 * processor's own instruction, to test it. Returns 0 where this file cannot work. */
EXPORT int32_t ob_version(int32_t plain) {
    const u32 one = 1;
    if (*(const u8 *)&one != 1)
        return 0;
    for (u32 n = 0; n < 256; n++) {
        u32 crc = n;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78u : 0);
        crc_table[0][n] = crc;
    }
    for (u32 n = 0; n < 256; n++)
        for (int row = 1; row < 8; row++)
            crc_table[row][n] =
                crc_table[row - 1][n] >> 8 ^ crc_table[0][crc_table[row - 1][n] & 0xFF];
    crc_of = crc_plain;
#if defined(__x86_64__) && defined(__GNUC__)
    if (!plain && __builtin_cpu_supports("sse4.2"))
        crc_of = crc_sse42;
#elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)
    if (!plain)
        crc_of = crc_arm;
#endif
    (void)plain;
    return OB_VERSION;
}
