"""Small words of LLVM's language that the compiled loops share."""

from __future__ import annotations

from llvmlite import ir

I8, I16, I32, I64, F32, BIT = (
    ir.IntType(8),
    ir.IntType(16),
    ir.IntType(32),
    ir.IntType(64),
    ir.FloatType(),
    ir.IntType(1),
)


def lanes(value: ir.Value) -> ir.VectorType:
    """Return the vector type of ``value``."""
    assert isinstance(value.type, ir.VectorType)
    return value.type


def call(builder: ir.IRBuilder, name: str, result: ir.Type, arguments: list[ir.Value]) -> ir.Value:
    """Call the LLVM intrinsic ``name``, declared in the module on its first use."""
    declared = builder.module.globals.get(name)
    if declared is None:
        declared = ir.Function(builder.module, ir.FunctionType(result, [value.type for value in arguments]), name)
    return builder.call(declared, arguments)


def mask(places: list[int]) -> ir.Constant:
    """Return the mask of a shuffle."""
    return ir.Constant(ir.VectorType(I32, len(places)), places)


def splat(builder: ir.IRBuilder, value: ir.Value, count: int) -> ir.Value:
    """Return ``value`` in each of ``count`` lanes."""
    undefined = ir.Constant(ir.VectorType(value.type, count), ir.Undefined)
    return builder.shuffle_vector(builder.insert_element(undefined, value, I32(0)), undefined, mask([0] * count))


def at(builder: ir.IRBuilder, base: ir.Value, *offsets: ir.Value | int) -> ir.Value:
    """Return the address ``base + sum(offsets)``, counted in elements."""
    for offset in offsets:
        base = builder.gep(base, [I64(offset) if isinstance(offset, int) else offset])
    return base


def load_vector(builder: ir.IRBuilder, address: ir.Value, vector: ir.VectorType) -> ir.Value:
    """Return the vector at ``address``, wherever it lies."""
    return builder.load(builder.bitcast(address, vector.as_pointer()), align=1)


def store_vector(builder: ir.IRBuilder, value: ir.Value, address: ir.Value) -> None:
    """Write a vector at ``address``, wherever it lies."""
    builder.store(value, builder.bitcast(address, value.type.as_pointer()), align=1)


def own_function(
    module: ir.Module, name: str, arguments: list[ir.Type], *, unrolls: bool = False
) -> ir.Function | None:
    """Return a new void function that is compiled on its own; None where ``module`` has it already.

    It is not inlined, so that no other loop shares its registers, and by default marked ``optsize``, which keeps LLVM from
    unrolling loops whose body fills the registers.
    """
    if name in module.globals:
        return None
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), arguments), name)
    function.linkage = "internal"
    for attribute in ("noinline", "nounwind", *(() if unrolls else ("optsize",))):
        function.attributes.add(attribute)
    return function


class Loop:
    """A counted loop in LLVM form: ``with`` it, its body is written where the builder stands."""

    def __init__(self, builder: ir.IRBuilder, end: ir.Value, step: int = 1) -> None:
        self.builder, self.end, self.step = builder, end, step

    def __enter__(self) -> ir.Value:
        builder = self.builder
        before = builder.block
        head, self.body, self.done = (builder.append_basic_block(name) for name in ("head", "body", "done"))
        builder.branch(head)
        builder.position_at_end(head)
        self.index = builder.phi(I64)
        self.index.add_incoming(I64(0), before)
        builder.cbranch(builder.icmp_signed("<", self.index, self.end), self.body, self.done)
        self.head = head
        builder.position_at_end(self.body)
        return self.index

    def __exit__(self, *_: object) -> None:
        builder = self.builder
        self.index.add_incoming(builder.add(self.index, I64(self.step)), builder.block)
        builder.branch(self.head)
        builder.position_at_end(self.done)
