"""Training of the shipped model: ``python -m veperf.workloads.verification.scoring.train``.

Model card.

- Purpose: a score from 0 to 100 for VirtEngine's identity verification that takes as much work as
  the original's, and on which validators agree to the bit. It is a load to measure, not for
  judging people.
- Data: 24,000 synthetic rows from a seed (``data``), 4,000 more held out, without any real person.
  The score is a fixed function of document, lines, face and other evidence, plus noise of 4 points.
- Training: cross-entropy, Adam with weight decay, 12 epochs; then batch normalisation is folded in
  and weights are rounded to 2^-12 (``network``).
- Accuracy on held-out rows, after rounding: R2 0.955, mean error 4.3 points, of which the noise
  alone makes 3.2.
- Limits: the face direction that it rewards is arbitrary, and the embedding can't recognise faces;
  it was not tested for fairness or against forgery; far from the training data scores are
  meaningless.
"""
