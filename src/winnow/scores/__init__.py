"""What makes an image matter: a module for each score, and what is made of them."""
