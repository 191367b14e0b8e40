//! Pinned, checksummed third-party tools, fetched into the checkout.
