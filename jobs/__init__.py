"""Each stage as a script: spark-submit, a Databricks task or plain Python runs the file."""
