"""recognition: finds, judges, aligns, embeds and compares faces with the models of one pack."""
