pragma circom 2.1.0;

include "circomlib/circuits/poseidon.circom";

// Orders a node and its sibling: the node stands on the left when `right` is 0, on the right when it is 1.
template Order() {
    signal input node;
    signal input sibling;
    signal input right;
    signal output pair[2];

    right * (1 - right) === 0;

    // One product serves both outputs.
    signal moved <== right * (sibling - node);
    pair[0] <== node + moved;
    pair[1] <== sibling - moved;
}

// Knowledge of a secret whose commitment Poseidon(secret) is a leaf of the Poseidon Merkle tree with the given
// root. `right[i]` says on which side the path's node stands at height i; neither the secret, nor the leaf, nor its
// place in the tree is public.
template Membership(depth) {
    signal input root;
    signal input secret;
    signal input sibling[depth];
    signal input right[depth];

    component leaf = Poseidon(1);
    leaf.inputs[0] <== secret;

    component order[depth];
    component parent[depth];
    for (var i = 0; i < depth; i++) {
        order[i] = Order();
        order[i].node <== i == 0 ? leaf.out : parent[i - 1].out;
        order[i].sibling <== sibling[i];
        order[i].right <== right[i];

        parent[i] = Poseidon(2);
        parent[i].inputs[0] <== order[i].pair[0];
        parent[i].inputs[1] <== order[i].pair[1];
    }

    parent[depth - 1].out === root;
}

// Depth 15 (32,768 leaves) is the deepest tree whose constraints fit a domain of 4,096.
component main {public [root]} = Membership(15);
