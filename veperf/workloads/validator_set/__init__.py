"""A chain's validators, as CometBFT keeps them: weighted turns to propose, and changes of the set.

Nothing is exported here, so that a part can be imported without all others: ``validator`` for one
validator and its bytes, ``validators`` for the set, ``example_data`` for examples.

A validator with three times the power of another proposes three times as often:

>>> from veperf.workloads.validator_set.validator import Validator
>>> from veperf.workloads.validator_set.validators import ValidatorSet
>>> anna, bert = Validator(b"A" * 32, power=3), Validator(b"B" * 32, power=1)
>>> validators = ValidatorSet([anna, bert])
>>> turns = []
>>> for _ in range(8):
...     turns.append("anna" if validators.proposer == anna.address else "bert")
...     validators.rotate()
>>> turns
['anna', 'anna', 'bert', 'anna', 'anna', 'anna', 'bert', 'anna']

Power 0 removes a validator:

>>> validators.update([Validator(anna.public_key, power=0), Validator(b"C" * 32, power=9)])
>>> [(validator.public_key[:1], validator.power) for validator in validators]
[(b'C', 9), (b'B', 1)]
"""
