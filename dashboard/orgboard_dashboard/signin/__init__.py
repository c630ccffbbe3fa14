"""The pages before the board: sign in, and the one-time links. Plain HTML, nothing of Dash."""
