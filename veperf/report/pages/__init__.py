"""The pages of a report: notebooks executed by papermill, rendered to HTML."""
