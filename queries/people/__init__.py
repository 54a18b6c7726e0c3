"""Who may act: accounts, sessions, roles and the areas that they answer for. No score of anybody."""
