//! A list that mostly has one item and then needs no memory of its own: there may be very many such lists.

use std::ops::{Deref, DerefMut};

#[derive(Clone, Debug, Default)]
pub(crate) enum Few<T> {
    #[default]
    None,
    One(T),
    Many(Vec<T>),
}

impl<T> Few<T> {
    pub(crate) fn push(&mut self, item: T) {
        *self = match std::mem::take(self) {
            Few::None => Few::One(item),
            Few::One(first) => Few::Many(vec![first, item]),
            Few::Many(mut items) => {
                items.push(item);
                Few::Many(items)
            }
        };
    }

    pub(crate) fn pop(&mut self) -> Option<T> {
        match self.len() {
            0 => None,
            count => Some(self.remove(count - 1)),
        }
    }

    /// Removes an item; those behind it move up.
    ///
    /// # Panics
    /// If there is no such item.
    pub(crate) fn remove(&mut self, index: usize) -> T {
        let mut items = match std::mem::take(self) {
            Few::None => Vec::new(),
            Few::One(only) => vec![only],
            Few::Many(items) => items,
        };
        let removed = items.remove(index);
        if !items.is_empty() {
            *self = Few::Many(items);
        }
        removed
    }
}

impl<T> Deref for Few<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Few::None => &[],
            Few::One(only) => std::slice::from_ref(only),
            Few::Many(items) => items,
        }
    }
}

impl<T> DerefMut for Few<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        match self {
            Few::None => &mut [],
            Few::One(only) => std::slice::from_mut(only),
            Few::Many(items) => items,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_are_a_list_like_any_other() {
        let mut few = Few::default();
        assert_eq!(few.pop(), None);
        for item in 1..=3 {
            few.push(item);
        }
        assert_eq!(*few, [1, 2, 3]);
        assert_eq!(few.remove(1), 2);
        assert_eq!(few.pop(), Some(3));
        assert_eq!(few.pop(), Some(1));
        assert!(few.is_empty());
    }

    #[test]
    fn one_needs_no_more_room_than_a_list() {
        assert_eq!(size_of::<Few<(u32, u32)>>(), size_of::<Vec<(u32, u32)>>());
    }
}
