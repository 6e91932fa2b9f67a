"""How the shipped model was made: ``python -m veperf.workloads.verification.scoring.train``.

Model card.

- What for: to give VirtEngine's identity verification a score from 0 to 100 that costs what the
  original's costs and on which validators agree to the bit. It is a load to measure, not a judge
  of people.
- Data: 24,000 synthetic rows from a seed (``data``), 4,000 more held out. No person is in them. The
  score is a fixed function of document, lines, face and other evidence, and noise of 4 points.
- Training: cross-entropy, Adam with weight decay, 12 epochs; then batch normalisation is folded in
  and weights are rounded to 2^-12 (``network``).
- How good, held out, after rounding: R2 0.955, mean error 4.3 points, of which the noise alone
  makes 3.2.
- Limits: the face direction that it rewards is arbitrary, and the embedding knows no faces; nothing
  was tested for fairness or against forgery; far from the data of training scores mean nothing.
"""
