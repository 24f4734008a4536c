"""The management API below ``/api``: a file a noun, with its operations, which router answers and describe tells."""
