/* What all parts of the core stand on. */

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__GNUC__)
#define EXPORT __attribute__((visibility("default")))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define INLINE static inline __attribute__((always_inline))
#else
#define EXPORT
#define LIKELY(x) (x)
#define INLINE static inline
#endif

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t i64;

static int grow(void **at, i64 count, size_t unit) {
    void *more = realloc(*at, (size_t)count * unit);
    if (!more)
        return 0;
    *at = more;
    return 1;
}
