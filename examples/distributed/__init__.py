"""A transformer trained by several processes, its optimizer's state divided among them."""
