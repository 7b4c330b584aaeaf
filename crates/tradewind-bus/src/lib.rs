//! Typed publish and subscribe over bounded queues with an overflow policy per subscriber.
