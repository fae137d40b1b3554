// The clock of the bench under Verilator; prints the processor's seconds.
#include <cstdio>
#include <ctime>

#include "Vbench.h"
#include "verilated.h"

double sc_time_stamp() { return 0; }

int main(int count, char **arguments) {
  Verilated::commandArgs(count, arguments);
  Vbench bench;
  const std::clock_t begin = std::clock();
  while (!Verilated::gotFinish()) {
    bench.clk = !bench.clk;
    bench.eval();
  }
  std::printf("SECONDS: %.6f\n", static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC);
  return 0;
}
