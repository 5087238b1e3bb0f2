"""What the apps say: numbers, tables, cards, messages, formulas and the HTML report."""
