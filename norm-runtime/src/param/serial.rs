//! Parameters through `serde`: sequences of their elements, as `Vec` is one. Half types are their bits, as the crate `half` has them.

use super::Param;
use crate::dtype::Element;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

impl<T: Element + Serialize> Serialize for Param<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

impl<'de, T: Element + Deserialize<'de>> Deserialize<'de> for Param<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let values = <Box<[T]>>::deserialize(deserializer)?;
        Ok(Param::from(&*values))
    }
}
