// Reads the golden vectors of one layer with $readmemh and computes it again, pass by pass, as the array does:
// products, partial sum, scaler, accumulator, column constants, requantizer. It is the reference to replace by your own design.
//
//   cd <layer folder> && iverilog -g2012 -o bench.vvp ../testbench.sv && vvp bench.vvp
//
// layer.svh holds the sizes and widths; README.md explains every file.
module testbench;
  `include "layer.svh"

  localparam int FIELDS = 9;  // of a pass: group, m start and size, k start and size, n start and size, fold, stream start
  localparam int EXACT = 0, WRAP = 1, SATURATE = 2;
  localparam int WEIGHT_STATIONARY = 0, OUTPUT_STATIONARY = 1, INPUT_STATIONARY = 2;
  localparam int NO_OUTPUT = 0, RAW_OUTPUT = 1, SCALED_OUTPUT = 2, THRESHOLDS = 3;
  localparam int NO_SCALER = 0, INTEGER_SCALER = 1, FLOAT_SCALER = 2;
  localparam int SHOWN_ERRORS = 10;

  logic [PASSES_BITS-1:0]      passes        [0:PASSES_WORDS-1];
  logic [IFMAP_BITS-1:0]       ifmap         [0:IFMAP_WORDS-1];
  logic [WEIGHT_BITS-1:0]      weight        [0:WEIGHT_WORDS-1];
  logic [PSUM_BITS-1:0]        psum          [0:PSUM_WORDS-1];
  logic [ACCUMULATOR_BITS-1:0] accumulator   [0:ACCUMULATOR_WORDS-1];
  logic [TERM_BITS-1:0]        term          [0:TERM_WORDS-1];
  logic [FOLD_SEGMENT_BITS-1:0] fold_segment [0:FOLD_SEGMENT_WORDS-1];
  logic [SEGMENT_MULTIPLIER_BITS-1:0] segment_multiplier [0:SEGMENT_MULTIPLIER_WORDS-1];
  logic [SEGMENT_SHIFT_BITS-1:0] segment_shift [0:SEGMENT_SHIFT_WORDS-1];
  logic [FOLD_IFMAP_SUM_BITS-1:0] fold_ifmap_sum [0:FOLD_IFMAP_SUM_WORDS-1];
  logic [SEGMENT_WEIGHT_ZERO_BITS-1:0] segment_weight_zero [0:SEGMENT_WEIGHT_ZERO_WORDS-1];
  logic [CONSTANT_BITS-1:0]    constant      [0:CONSTANT_WORDS-1];
  logic [IFMAP_SUM_BITS-1:0]   ifmap_sum     [0:IFMAP_SUM_WORDS-1];
  logic [WEIGHT_ZERO_BITS-1:0] weight_zero   [0:WEIGHT_ZERO_WORDS-1];
  logic [SUM_BITS-1:0]         total         [0:SUM_WORDS-1];
  logic [MULTIPLIER_BITS-1:0]  multiplier    [0:MULTIPLIER_WORDS-1];
  logic [SHIFT_BITS-1:0]       shift         [0:SHIFT_WORDS-1];
  logic [THRESHOLD_BITS-1:0]   threshold     [0:THRESHOLD_WORDS-1];
  logic [RESULT_BITS-1:0]      result        [0:RESULT_WORDS-1];
  logic signed [63:0]          held          [0:GROUPS*M*N-1];  // the accumulator memory

  int checked = 0, errors = 0;

  function automatic logic signed [63:0] extend(input logic [63:0] word, input int bits, input int is_signed);
    extend = word;
    if (is_signed != 0 && bits < 64 && word[bits-1]) extend = word | (~64'd0 << bits);
  endfunction

  function automatic logic signed [63:0] stored(input logic signed [63:0] value, input int bits, input int mode);
    logic signed [63:0] low, high;
    low = -(64'sd1 <<< (bits - 1));
    high = -(low + 64'sd1);
    stored = value;
    if (mode == SATURATE && value > high) stored = high;
    if (mode == SATURATE && value < low) stored = low;
    if (mode == WRAP && bits < 64) stored = extend(value & ((64'd1 << bits) - 64'd1), bits, 1);
  endfunction

  function automatic logic signed [63:0] field(input int pass, input int index);
    field = extend(passes[pass*FIELDS+index], PASSES_BITS, 0);
  endfunction

  // sum * multiplier / 2^places, rounded as ROUNDING or TERM_ROUNDING says
  function automatic logic signed [127:0] scaled(input logic signed [63:0] sum, input logic signed [63:0] factor,
                                                 input int places, input int rounding);
    logic signed [127:0] product, down, rest, half;
    logic up;
    product = sum * factor;
    if (places <= 0) scaled = product <<< -places;
    else begin
      down = product >>> places;
      rest = product - (down <<< places);
      half = 128'sd1 <<< (places - 1);
      case (rounding)
        0: up = rest >= half;                                    // half_up
        1: up = rest > half || (rest == half && down[0]);        // half_even
        2: up = rest > half || (rest == half && product > 0);    // half_away
        3: up = rest > half;                                     // half_down
        4: up = rest > half || (rest == half && product < 0);    // half_to_zero
        5: up = 0;                                               // floor
        6: up = rest != 0;                                       // ceil
        7: up = rest != 0 && product < 0;                        // to_zero
        8: up = rest != 0 && product > 0;                        // away
        default: up = 1'bx;
      endcase
      scaled = down + (up ? 128'sd1 : 128'sd0);
    end
  endfunction

  function automatic logic signed [63:0] requantized(input logic signed [63:0] sum, input int column);
    logic signed [127:0] code;
    if (OUTPUT == RAW_OUTPUT) code = stored(sum, RESULT_BITS, WRAP);
    else if (OUTPUT == THRESHOLDS) begin
      code = CLAMP_LOW;
      for (int level = 0; level < CLAMP_HIGH - CLAMP_LOW; level++)
        if (sum >= extend(threshold[column*(CLAMP_HIGH-CLAMP_LOW)+level], THRESHOLD_BITS, 1)) code += 1;
    end else
      code = scaled(sum, extend(multiplier[column], MULTIPLIER_BITS, MULTIPLIER_SIGNED),
                    extend(shift[column], SHIFT_BITS, SHIFT_SIGNED), ROUNDING) + OUTPUT_ZERO_POINT;
    if (code < CLAMP_LOW) code = CLAMP_LOW;
    if (code > CLAMP_HIGH) code = CLAMP_HIGH;
    requantized = code;
  endfunction

  task automatic check(input int what, input int place, input logic signed [63:0] got, input logic signed [63:0] wanted);
    checked++;
    if (got !== wanted) begin
      errors++;
      if (errors <= SHOWN_ERRORS)
        $display("word %0d of %0s: computed %0d, the file says %0d", place,
                 what == 0 ? "array_psum" : what == 1 ? "array_accumulator" : what == 2 ? "sum" :
                 what == 3 ? "result" : "array_term", got, wanted);
    end
  endtask

  // One output of one pass: its fold along k, and what follows the last fold.
  task automatic output_of(input int pass, input int i, input int j);
    int group, m_start, k_size, n_start, fold, start, crossing, place, column, segment;
    logic signed [63:0] partial, tree, a, w;
    group = field(pass, 0);
    m_start = field(pass, 1);
    k_size = field(pass, 4);
    n_start = field(pass, 5);
    fold = field(pass, 7);
    start = field(pass, 8);
    case (FLOW)
      WEIGHT_STATIONARY: crossing = (start + i) * COLUMNS + j;
      INPUT_STATIONARY: crossing = (start + j) * COLUMNS + i;
      default: crossing = (pass * ROWS + i) * COLUMNS + j;
    endcase
    partial = 0;
    if (EXACT_PRODUCTS == 0) partial = extend(psum[crossing], PSUM_BITS, 1);
    else
      for (int x = 0; x < k_size; x += ADDER_TREE) begin
        tree = 0;
        for (int leaf = x; leaf < x + ADDER_TREE && leaf < k_size; leaf++) begin
          case (FLOW)
            WEIGHT_STATIONARY: begin
              a = extend(ifmap[(start+i)*ROWS+leaf], IFMAP_BITS, IFMAP_SIGNED);
              w = extend(weight[(pass*ROWS+leaf)*COLUMNS+j], WEIGHT_BITS, WEIGHT_SIGNED);
            end
            INPUT_STATIONARY: begin
              a = extend(ifmap[(pass*ROWS+leaf)*COLUMNS+i], IFMAP_BITS, IFMAP_SIGNED);
              w = extend(weight[(start+j)*ROWS+leaf], WEIGHT_BITS, WEIGHT_SIGNED);
            end
            default: begin
              a = extend(ifmap[(start+leaf)*ROWS+i], IFMAP_BITS, IFMAP_SIGNED);
              w = extend(weight[(start+leaf)*COLUMNS+j], WEIGHT_BITS, WEIGHT_SIGNED);
            end
          endcase
          tree += a * w;
        end
        partial = stored(partial + tree, PSUM_BITS, PSUM_MODE);
      end
    check(0, crossing, partial, extend(psum[crossing], PSUM_BITS, 1));

    column = group * N + n_start + j;
    place = (group * M + m_start + i) * N + n_start + j;
    if (SCALER == INTEGER_SCALER) begin
      segment = extend(fold_segment[fold], FOLD_SEGMENT_BITS, 0) * GROUPS * N + column;
      if (HAS_FOLD_IFMAP_SUM != 0)
        partial -= extend(fold_ifmap_sum[(fold*GROUPS+group)*M+m_start+i], FOLD_IFMAP_SUM_BITS, 1)
                 * extend(segment_weight_zero[segment], SEGMENT_WEIGHT_ZERO_BITS, 1);
      partial = scaled(partial, extend(segment_multiplier[segment], SEGMENT_MULTIPLIER_BITS, 1),
                       extend(segment_shift[segment], SEGMENT_SHIFT_BITS, 1), TERM_ROUNDING);
      check(4, crossing, partial, extend(term[crossing], TERM_BITS, 1));
    end
    if (SCALER != FLOAT_SCALER) accumulate(group, fold, place, crossing, column, m_start + i, partial);
  endtask

  // What leaves the array or its scaler joins the accumulator; after the last fold the result follows.
  task automatic accumulate(input int group, input int fold, input int place, input int crossing, input int column,
                            input int row, input logic signed [63:0] partial);
    logic signed [63:0] sum;
    sum = held[place];
    if (fold == 0)
      sum = BIAS_AT_START != 0
          ? stored(extend(constant[column], CONSTANT_BITS, 1), ACCUMULATOR_BITS, ACCUMULATOR_MODE) : 64'sd0;
    sum = stored(sum + partial, ACCUMULATOR_BITS, ACCUMULATOR_MODE);
    held[place] = sum;
    check(1, crossing, sum, extend(accumulator[crossing], ACCUMULATOR_BITS, 1));

    if (fold == FOLDS - 1) begin
      if (BIAS_AT_START == 0) sum += extend(constant[column], CONSTANT_BITS, 1);
      if (HAS_IFMAP_SUM != 0)
        sum -= extend(ifmap_sum[group*M+row], IFMAP_SUM_BITS, 1)
             * extend(weight_zero[column], WEIGHT_ZERO_BITS, 1);
      check(2, place, sum, extend(total[place], SUM_BITS, 1));
      if (OUTPUT != NO_OUTPUT)
        check(3, place, requantized(sum, column), extend(result[place], RESULT_BITS, RESULT_SIGNED));
    end
  endtask

  initial begin
    $readmemh("passes.hex", passes);
    $readmemh("array_ifmap.hex", ifmap);
    $readmemh("array_weight.hex", weight);
    $readmemh("array_psum.hex", psum);
    $readmemh("array_accumulator.hex", accumulator);
    $readmemh("column_constant.hex", constant);
    $readmemh("sum.hex", total);
    $readmemh("result.hex", result);
    if (SCALER == INTEGER_SCALER) begin
      $readmemh("array_term.hex", term);
      $readmemh("fold_segment.hex", fold_segment);
      $readmemh("segment_multiplier.hex", segment_multiplier);
      $readmemh("segment_shift.hex", segment_shift);
    end
    if (HAS_FOLD_IFMAP_SUM != 0) $readmemh("fold_ifmap_sum.hex", fold_ifmap_sum);
    if (HAS_FOLD_IFMAP_SUM != 0) $readmemh("segment_weight_zero_point.hex", segment_weight_zero);
    if (HAS_IFMAP_SUM != 0) $readmemh("ifmap_sum.hex", ifmap_sum);
    if (HAS_IFMAP_SUM != 0) $readmemh("weight_zero_point.hex", weight_zero);
    if (OUTPUT == SCALED_OUTPUT) $readmemh("multiplier.hex", multiplier);
    if (OUTPUT == SCALED_OUTPUT) $readmemh("shift.hex", shift);
    if (OUTPUT == THRESHOLDS) $readmemh("thresholds.hex", threshold);
    for (int pass = 0; pass < PASSES_WORDS / FIELDS; pass++)
      for (int i = 0; i < field(pass, 2); i++)
        for (int j = 0; j < field(pass, 6); j++) output_of(pass, i, j);
    if (SCALER == FLOAT_SCALER) $display("the float32 scaler of this layer is not computed here; checked up to the psum");
    else if (OUTPUT == NO_OUTPUT) $display("the output stage of this layer is not computed here; checked up to the sum");
    if (errors == 0) $display("PASS: %0d words equal", checked);
    else $display("FAIL: %0d of %0d words differ", errors, checked);
    if (errors != 0) $fatal(1);
    $finish;
  end
endmodule
