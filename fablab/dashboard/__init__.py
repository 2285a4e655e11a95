"""Pages that combine rooms: home, boards, desks. No models, no writes."""
