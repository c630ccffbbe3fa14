"""What the browser asks for beside pages: JSON, columns, blobs, ticks. Behind the gate."""
