"""What runs without a person: jobs, sensors, schedules, the resident runner, the supervisor of one machine."""
