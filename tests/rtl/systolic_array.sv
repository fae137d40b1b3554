// A systolic array of one multiply-accumulate per element; three dataflows by two parameters.
//
// ACCUMULATES = 0: a stationary operand is held, partial sums move down (weight stationary; input stationary by exchange).
// ACCUMULATES = 1: both operands move, the partial sum is held (output stationary).
//
// Operands and control words enter each row at the left, already skewed, and move right. A chain through the held registers
// brings stationary operands down and takes results down (or right). Each element has two held registers; the control word
// says which is used and which is on the chain:
//   bit 0 use, bit 1 chain, bit 2 shift the chain, bit 3 start from zero, bit 4 a result is on its way
`default_nettype none

// DEPTH registers in a row; none where DEPTH is 0.
module delay #(
    parameter WIDTH = 1,
    parameter DEPTH = 1
) (
    input  wire             clk,
    input  wire             reset,
    input  wire [WIDTH-1:0] d,
    output wire [WIDTH-1:0] q
);
  generate
    if (DEPTH == 0) begin : none
      assign q = d;
    end else begin : some
      reg [WIDTH*DEPTH-1:0] stages;
      wire [WIDTH*(DEPTH+1)-1:0] shifted = {stages, d};
      always @(posedge clk) stages <= reset ? {WIDTH * DEPTH{1'b0}} : shifted[WIDTH*DEPTH-1:0];
      assign q = stages[WIDTH*DEPTH-1-:WIDTH];
    end
  endgenerate
endmodule

module element #(
    parameter ACCUMULATES   = 0,
    parameter LEFT_BITS     = 8,
    parameter LEFT_SIGNED   = 0,
    parameter FACTOR_BITS   = 8,
    parameter FACTOR_SIGNED = 1,
    parameter SUM_BITS      = 20,
    parameter SATURATE      = 0,
    parameter MULTIPLIER    = 0,
    parameter ADDER         = 0,
    parameter ABOVE_BITS    = ACCUMULATES ? FACTOR_BITS : SUM_BITS,
    parameter HELD_BITS     = ACCUMULATES ? SUM_BITS : FACTOR_BITS
) (
    input  wire                         clk,
    input  wire                         reset,
    input  wire        [ LEFT_BITS-1:0] left,
    input  wire        [           4:0] control,
    input  wire        [ABOVE_BITS-1:0] above,
    input  wire        [ HELD_BITS-1:0] entering,
    output wire        [ LEFT_BITS-1:0] right,
    output wire        [           4:0] control_right,
    output wire        [ABOVE_BITS-1:0] below,
    output wire        [ HELD_BITS-1:0] leaving,
    output wire signed [  SUM_BITS-1:0] total
);
  localparam PRODUCT_BITS = LEFT_BITS + FACTOR_BITS + 2;
  localparam WIDE = (SUM_BITS > PRODUCT_BITS ? SUM_BITS : PRODUCT_BITS) + 1;

  reg [HELD_BITS-1:0] held_0, held_1;

  // What says when: control at the multiplier, and behind its registers.
  wire [4:0] behind;
  delay #(.WIDTH(5), .DEPTH(MULTIPLIER)) control_delay (.clk, .reset, .d(control), .q(behind));
  wire [4:0] at_held = ACCUMULATES ? behind : control;
  wire [HELD_BITS-1:0] used = at_held[0] ? held_1 : held_0;

  // Multiplier.
  wire [FACTOR_BITS-1:0] factor;
  wire signed [LEFT_BITS:0] x = {LEFT_SIGNED ? left[LEFT_BITS-1] : 1'b0, left};
  wire signed [FACTOR_BITS:0] w = {FACTOR_SIGNED ? factor[FACTOR_BITS-1] : 1'b0, factor};
  wire signed [PRODUCT_BITS-1:0] product = x * w;
  wire signed [PRODUCT_BITS-1:0] ready;
  delay #(.WIDTH(PRODUCT_BITS), .DEPTH(MULTIPLIER)) product_delay (.clk, .reset, .d(product), .q(ready));

  // Adder.
  wire signed [SUM_BITS-1:0] augend;
  wire signed [WIDE-1:0] sum = augend + ready;
  localparam signed [WIDE-1:0] HIGH = {{WIDE - SUM_BITS + 1{1'b0}}, {SUM_BITS - 1{1'b1}}};
  localparam signed [WIDE-1:0] LOW = ~HIGH;
  wire signed [WIDE-1:0] clamped = sum > HIGH ? HIGH : sum < LOW ? LOW : sum;
  assign total = SATURATE ? clamped[SUM_BITS-1:0] : sum[SUM_BITS-1:0];

  generate
    if (ACCUMULATES) begin : stays
      assign factor = above;
      assign augend = at_held[3] ? {SUM_BITS{1'b0}} : used;
      assign below  = above;
    end else begin : moves
      assign factor = used;
      assign augend = above;
      delay #(.WIDTH(SUM_BITS), .DEPTH(ADDER)) adder_delay (.clk, .reset, .d(total), .q(below));
    end
  endgenerate

  // The held registers: the one in use takes its sum, the one on the chain shifts.
  assign leaving = at_held[1] ? held_1 : held_0;
  always @(posedge clk)
    if (reset) begin
      held_0 <= {HELD_BITS{1'b0}};
      held_1 <= {HELD_BITS{1'b0}};
    end else begin
      if (ACCUMULATES && !at_held[0]) held_0 <= total;
      if (ACCUMULATES && at_held[0]) held_1 <= total;
      if (at_held[2] && !at_held[1]) held_0 <= entering;
      if (at_held[2] && at_held[1]) held_1 <= entering;
    end

  delay #(.WIDTH(LEFT_BITS), .DEPTH(1)) operand_delay (.clk, .reset, .d(left), .q(right));
  delay #(.WIDTH(5), .DEPTH(1)) word_delay (.clk, .reset, .d(control), .q(control_right));
endmodule

// OUT = 0: results leave at the bottom; 1: at the right; 2: from every element (both only where sums stay).
module systolic_array #(
    parameter ROWS          = 4,
    parameter COLUMNS       = 4,
    parameter ACCUMULATES   = 0,
    parameter OUT           = 0,
    parameter LEFT_BITS     = 8,
    parameter LEFT_SIGNED   = 0,
    parameter FACTOR_BITS   = 8,
    parameter FACTOR_SIGNED = 1,
    parameter SUM_BITS      = 20,
    parameter SATURATE      = 0,
    parameter HOP           = 1,  // registers from row to row, those of the adder not counted
    parameter MULTIPLIER    = 0,  // registers behind the multiplier
    parameter ADDER         = 0,  // registers inside the adder
    parameter LATENCY       = 0,  // output registers
    parameter PORTS         = OUT == 1 ? ROWS : OUT == 2 ? ROWS * COLUMNS : COLUMNS,
    parameter ABOVE_BITS    = ACCUMULATES ? FACTOR_BITS : SUM_BITS,
    parameter HELD_BITS     = ACCUMULATES ? SUM_BITS : FACTOR_BITS
) (
    input  wire                            clk,
    input  wire                            reset,
    input  wire [      ROWS*LEFT_BITS-1:0] left,
    input  wire [              ROWS*5-1:0] control,
    input  wire [  COLUMNS*ABOVE_BITS-1:0] top,
    input  wire [   COLUMNS*HELD_BITS-1:0] chain,
    output wire [      PORTS*SUM_BITS-1:0] out,
    output wire [               PORTS-1:0] valid
);
  localparam DOWN = ACCUMULATES ? HOP : HOP + ADDER;  // registers of the chain from row to row
  localparam BEHIND = ACCUMULATES ? LATENCY + ADDER : LATENCY;  // of a held sum, the adder's registers are behind it

  wire [LEFT_BITS-1:0] operand[0:ROWS-1][0:COLUMNS] /*verilator split_var*/;
  wire [4:0] word[0:ROWS-1][0:COLUMNS] /*verilator split_var*/;
  wire [ABOVE_BITS-1:0] above[0:ROWS][0:COLUMNS-1] /*verilator split_var*/;
  wire [ABOVE_BITS-1:0] below[0:ROWS-1][0:COLUMNS-1] /*verilator split_var*/;
  wire [HELD_BITS-1:0] entering[0:ROWS][0:COLUMNS] /*verilator split_var*/;
  wire [HELD_BITS-1:0] leaving[0:ROWS-1][0:COLUMNS-1] /*verilator split_var*/;
  wire [SUM_BITS-1:0] total[0:ROWS-1][0:COLUMNS-1] /*verilator split_var*/;

  genvar r, c;
  generate
    for (c = 0; c < COLUMNS; c = c + 1) begin : upper_edge
      assign above[0][c] = top[c*ABOVE_BITS+:ABOVE_BITS];
      if (OUT != 1) assign entering[0][c] = chain[c*HELD_BITS+:HELD_BITS];
    end
    for (r = 0; r < ROWS; r = r + 1) begin : row
      assign operand[r][0] = left[r*LEFT_BITS+:LEFT_BITS];
      assign word[r][0] = control[r*5+:5];
      if (OUT == 1) assign entering[r][0] = {HELD_BITS{1'b0}};
      for (c = 0; c < COLUMNS; c = c + 1) begin : column
        element #(
            .ACCUMULATES(ACCUMULATES), .LEFT_BITS(LEFT_BITS), .LEFT_SIGNED(LEFT_SIGNED),
            .FACTOR_BITS(FACTOR_BITS), .FACTOR_SIGNED(FACTOR_SIGNED), .SUM_BITS(SUM_BITS), .SATURATE(SATURATE),
            .MULTIPLIER(MULTIPLIER), .ADDER(ADDER)
        ) cell_ (
            .clk, .reset, .left(operand[r][c]), .control(word[r][c]), .above(above[r][c]), .entering(entering[r][c]),
            .right(operand[r][c+1]), .control_right(word[r][c+1]), .below(below[r][c]), .leaving(leaving[r][c]),
            .total(total[r][c])
        );
        delay #(.WIDTH(ABOVE_BITS), .DEPTH(HOP)) hop (.clk, .reset, .d(below[r][c]), .q(above[r+1][c]));
        if (OUT == 1)
          delay #(.WIDTH(HELD_BITS), .DEPTH(1)) link (.clk, .reset, .d(leaving[r][c]), .q(entering[r][c+1]));
        else
          delay #(.WIDTH(HELD_BITS), .DEPTH(DOWN)) link (.clk, .reset, .d(leaving[r][c]), .q(entering[r+1][c]));
        if (OUT == 2) begin : port
          delay #(.WIDTH(SUM_BITS), .DEPTH(BEHIND)) out_delay (
              .clk, .reset, .d(total[r][c]), .q(out[(r*COLUMNS+c)*SUM_BITS+:SUM_BITS]));
          delay #(.WIDTH(1), .DEPTH(MULTIPLIER + ADDER + LATENCY)) valid_delay (
              .clk, .reset, .d(word[r][c][4]), .q(valid[r*COLUMNS+c]));
        end
      end
      if (OUT == 1) begin : port
        delay #(.WIDTH(SUM_BITS), .DEPTH(BEHIND)) out_delay (
            .clk, .reset, .d(leaving[r][COLUMNS-1]), .q(out[r*SUM_BITS+:SUM_BITS]));
        delay #(.WIDTH(1), .DEPTH(MULTIPLIER + ADDER + LATENCY)) valid_delay (
            .clk, .reset, .d(word[r][COLUMNS-1][4]), .q(valid[r]));
      end
    end
    if (OUT == 0)
      for (c = 0; c < COLUMNS; c = c + 1) begin : port
        if (ACCUMULATES)
          delay #(.WIDTH(SUM_BITS), .DEPTH(BEHIND)) out_delay (
              .clk, .reset, .d(leaving[ROWS-1][c]), .q(out[c*SUM_BITS+:SUM_BITS]));
        else
          delay #(.WIDTH(SUM_BITS), .DEPTH(BEHIND)) out_delay (
              .clk, .reset, .d(below[ROWS-1][c]), .q(out[c*SUM_BITS+:SUM_BITS]));
        delay #(.WIDTH(1), .DEPTH(MULTIPLIER + ADDER + LATENCY)) valid_delay (
            .clk, .reset, .d(word[ROWS-1][c][4]), .q(valid[c]));
      end
  endgenerate
endmodule
`default_nettype wire
