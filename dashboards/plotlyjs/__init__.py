"""What is handed to Plotly's browser library, and the library itself."""
