"""Files of other tools: circom's .r1cs, snarkjs's .wtns, and snarkjs's JSON files of Groth16."""
