//! The order in which the messages of a sponge lie, group by group and block by block.

use rust_hdl::prelude::*;

/// Walks over messages in groups, the last of which may be smaller; in a group over blocks; in a block over its messages.
#[derive(LogicBlock)]
pub struct BlockWalk {
    /// Clock, rising edge.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// Begin; the first message is there in the next cycle.
    pub start: Signal<In, Bit>,
    /// Messages; sampled at `start`.
    pub count: Signal<In, Bits<32>>,
    /// Blocks of a message, at least 1; stands while the walk goes on.
    pub blocks: Signal<In, Bits<16>>,
    /// Go to the next message.
    pub next_message: Signal<In, Bit>,
    /// Go to the next block.
    pub next_block: Signal<In, Bit>,
    /// Messages of the group.
    pub messages: Signal<Out, Bits<32>>,
    /// The block is the first of its messages.
    pub first: Signal<Out, Bit>,
    /// The block is the last of its messages.
    pub last: Signal<Out, Bit>,
    /// The walk has not come to its end.
    pub busy: Signal<Out, Bit>,
    left: DFF<Bits<32>>,
    group: DFF<Bits<32>>,
    in_block: DFF<Bits<32>>,
    block: DFF<Bits<16>>,
    following: Signal<Local, Bits<16>>,
    is_last: Signal<Local, Bit>,
    ends: Signal<Local, Bit>,
    rest: Signal<Local, Bits<32>>,
    next_group: Signal<Local, Bits<32>>,
    first_group: Signal<Local, Bits<32>>,
    largest: Constant<Bits<32>>,
}

impl BlockWalk {
    /// A walk with groups of at most so many messages.
    pub fn new(group: u32) -> BlockWalk {
        BlockWalk {
            clock: Default::default(),
            reset: Default::default(),
            start: Default::default(),
            count: Default::default(),
            blocks: Default::default(),
            next_message: Default::default(),
            next_block: Default::default(),
            messages: Default::default(),
            first: Default::default(),
            last: Default::default(),
            busy: Default::default(),
            left: Default::default(),
            group: Default::default(),
            in_block: Default::default(),
            block: Default::default(),
            following: Default::default(),
            is_last: Default::default(),
            ends: Default::default(),
            rest: Default::default(),
            next_group: Default::default(),
            first_group: Default::default(),
            largest: Constant::new(u64::from(group).into()),
        }
    }
}

impl Logic for BlockWalk {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, left, group, in_block, block);
        self.following.next = self.block.q.val() + 1;
        self.is_last.next = self.following.val() == self.blocks.val();
        self.messages.next = self.group.q.val();
        self.first.next = self.block.q.val() == 0;
        self.last.next = self.is_last.val();
        self.busy.next = self.left.q.val() != 0;
        self.rest.next = self.left.q.val() - self.group.q.val();
        self.next_group.next = self.rest.val();
        if self.largest.val() < self.rest.val() {
            self.next_group.next = self.largest.val();
        }
        self.first_group.next = self.count.val();
        if self.largest.val() < self.count.val() {
            self.first_group.next = self.largest.val();
        }
        self.ends.next = self.next_block.val() | (self.next_message.val() & (self.in_block.q.val() == 1));
        if self.next_message.val() {
            self.in_block.d.next = self.in_block.q.val() - 1;
        }
        if self.ends.val() {
            self.block.d.next = self.following.val();
            self.in_block.d.next = self.group.q.val();
            if self.is_last.val() {
                self.block.d.next = 0.into();
                self.left.d.next = self.rest.val();
                self.group.d.next = self.next_group.val();
                self.in_block.d.next = self.next_group.val();
            }
        }
        if self.start.val() {
            self.block.d.next = 0.into();
            self.left.d.next = self.count.val();
            self.group.d.next = self.first_group.val();
            self.in_block.d.next = self.first_group.val();
        }
        if self.reset.val() {
            self.left.d.next = 0.into();
        }
    }
}
