"""Where images come from, and what is made of them before anything is trained."""
