"""Many files on one machine or many: workers, results that survive a kill, engines."""
