// Drives the array with a trace and compares every output at every cycle, PASSES times from reset. One line of the trace a
// cycle, from the most significant end: left, control, top, chain, expected outputs, expected valid flags. The clock is its
// own, or under Verilator its only port.
module bench
`ifdef VERILATOR
(
    input wire clk
);
`else
;
  reg clk = 0;
  always #5 clk = ~clk;
`endif
  parameter ROWS = 4;
  parameter COLUMNS = 4;
  parameter ACCUMULATES = 0;
  parameter OUT = 0;
  parameter LEFT_BITS = 8;
  parameter LEFT_SIGNED = 0;
  parameter FACTOR_BITS = 8;
  parameter FACTOR_SIGNED = 1;
  parameter SUM_BITS = 20;
  parameter SATURATE = 0;
  parameter HOP = 1;
  parameter MULTIPLIER = 0;
  parameter ADDER = 0;
  parameter LATENCY = 0;
  parameter CYCLES = 1;
  parameter PASSES = 1;

  localparam PORTS = OUT == 1 ? ROWS : OUT == 2 ? ROWS * COLUMNS : COLUMNS;
  localparam ABOVE_BITS = ACCUMULATES ? FACTOR_BITS : SUM_BITS;
  localparam HELD_BITS = ACCUMULATES ? SUM_BITS : FACTOR_BITS;
  localparam IN_BITS = ROWS * (LEFT_BITS + 5) + COLUMNS * (ABOVE_BITS + HELD_BITS);
  localparam OUT_BITS = PORTS * (SUM_BITS + 1);

  reg [IN_BITS+OUT_BITS-1:0] trace[0:CYCLES-1];
  reg reset = 1;
  reg [IN_BITS-1:0] in = 0;
  reg [OUT_BITS-1:0] expected = 0;
  wire [OUT_BITS-1:0] seen;
  integer next = 0, pass = 0, wrong = 0;

  systolic_array #(
      .ROWS(ROWS), .COLUMNS(COLUMNS), .ACCUMULATES(ACCUMULATES), .OUT(OUT), .LEFT_BITS(LEFT_BITS),
      .LEFT_SIGNED(LEFT_SIGNED), .FACTOR_BITS(FACTOR_BITS), .FACTOR_SIGNED(FACTOR_SIGNED), .SUM_BITS(SUM_BITS),
      .SATURATE(SATURATE), .HOP(HOP), .MULTIPLIER(MULTIPLIER), .ADDER(ADDER), .LATENCY(LATENCY)
  ) array (
      .clk(clk), .reset(reset),
      .left(in[IN_BITS-1-:ROWS*LEFT_BITS]),
      .control(in[IN_BITS-ROWS*LEFT_BITS-1-:ROWS*5]),
      .top(in[COLUMNS*(ABOVE_BITS+HELD_BITS)-1-:COLUMNS*ABOVE_BITS]),
      .chain(in[COLUMNS*HELD_BITS-1-:COLUMNS*HELD_BITS]),
      .out(seen[OUT_BITS-1-:PORTS*SUM_BITS]),
      .valid(seen[PORTS-1:0])
  );

  initial $readmemh("trace.hex", trace);

  always @(posedge clk) begin
    if (!reset && seen !== expected) begin
      if (wrong < 5) $display("FAIL: cycle %0d: the array shows %h, the trace says %h", next - 1, seen, expected);
      wrong = wrong + 1;
    end
    if (next < CYCLES) begin
      {in, expected} <= trace[next];
      reset <= 0;
      next <= next + 1;
    end else begin
      pass = pass + 1;
      reset <= 1;
      next <= 0;
      if (pass == PASSES) begin
        if (wrong == 0) $display("PASS: %0d outputs equal in %0d cycles", PORTS * CYCLES, CYCLES);
        else $display("FAIL: %0d of %0d cycles differ", wrong, CYCLES);
        $finish;
      end
    end
  end
endmodule
