"""The claims harness: documented statements about machine learning, held against evidence."""
