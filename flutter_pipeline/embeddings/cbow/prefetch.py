"""Ask the processor for a row of a table before it is needed.

Rows drawn at random are seldom in a cache; having five of them on their way while the words before
are still being learnt made training half as fast again. Knows nothing of what is in the rows.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

LINE = 64
"""Bytes that come with one request."""
LINES = 7
"""Lines asked for: a row of a hundred float32. What is further along a longer one comes by itself,
for the hardware sees the pattern."""


def _prefetch(typing_context, table, row):
    def generate(context, builder, signature, arguments):
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        byte, i32, i64 = ir.IntType(8).as_pointer(), ir.IntType(32), ir.IntType(64)
        place = context.cast(builder, arguments[1], signature.args[1], types.int64)
        offset = builder.mul(place, builder.extract_value(array.strides, 0))
        start = builder.gep(builder.bitcast(array.data, byte), [offset])
        kind = ir.FunctionType(ir.VoidType(), [byte, i32, i32, i32])
        ask = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        for line in range(LINES):
            # To be written to, to be kept in all caches, data and not instructions.
            builder.call(
                ask,
                [builder.gep(start, [ir.Constant(i64, line * LINE)]), i32(1), i32(3), i32(1)],
            )
        return context.get_dummy_value()

    return types.void(table, row), generate


prefetch: Any = intrinsic(_prefetch)
"""Ask for the start of row ``row`` of a C-contiguous ``table``; for compiled code only."""
