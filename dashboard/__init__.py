"""What a person sees and may do. The only package that imports dash."""
