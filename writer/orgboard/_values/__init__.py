"""Values of any library as plain numbers and numpy arrays, by what they can do."""
