"""A timeline of one inference in the Trace Event Format, which Perfetto (ui.perfetto.dev) and chrome://tracing open."""

from hwsim.reporting.trace.write import trace_events, write_trace

__all__ = ["trace_events", "write_trace"]
