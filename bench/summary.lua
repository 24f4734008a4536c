-- One line of plain figures at the end of wrk's report, for load.py to read.
done = function(summary)
  local errors = summary.errors
  io.write(string.format("SUMMARY %d %d %d %d\n", summary.requests, summary.bytes, summary.duration,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
