"""Words in, words out: faces, grammar, the model's tool layer, jobs and the wiring."""
