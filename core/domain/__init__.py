"""Values only: nothing here imports anything else of ours, and nothing here acts."""
