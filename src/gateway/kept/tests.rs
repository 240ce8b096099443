use super::*;
use std::rc::Rc;

fn maker(provider: &str, key: &str) -> Maker {
    Maker { provider: provider.into(), key: key.into(), model: Some("gpt/5".into()) }
}

#[test]
fn a_reply_belongs_to_its_key() {
    let kept = Kept::default();
    kept.remember("r", &maker("p", "k"));
    kept.remember("", &maker("p", "k"));
    kept.remember(&"r".repeat(MAX_ID + 1), &maker("p", "k"));
    assert_eq!(kept.find("r", "k"), Keeper::Known(maker("p", "k")));
    assert_eq!(kept.find("r", "other"), Keeper::Foreign);
    assert_eq!(kept.find("", "k"), Keeper::Unknown);
    assert_eq!(kept.find(&"r".repeat(MAX_ID + 1), "k"), Keeper::Unknown);
    let unnamed = Maker { model: None, ..maker("q", "k") };
    kept.remember("r", &unnamed);
    assert_eq!(kept.find("r", "k"), Keeper::Known(unnamed), "the newest word counts");
}

#[test]
fn what_a_key_has_found_is_nobody_s() {
    let kept = Kept::default();
    kept.found("r", &maker("p", "k"));
    assert_eq!(kept.find("r", "k"), Keeper::Found(maker("p", "k")));
    assert_eq!(kept.find("r", "other"), Keeper::Unknown);
    kept.remember("r", &maker("p", "owner"));
    kept.found("r", &maker("p", "owner"));
    assert_eq!(kept.find("r", "third"), Keeper::Foreign, "who had it made goes on to own it");
    assert_eq!(kept.find("r", "k"), Keeper::Foreign, "what was found has turned out to be somebody's");
    kept.found("r", &maker("p", "k"));
    assert_eq!(kept.find("r", "k"), Keeper::Foreign, "whichever is newer");
}

#[test]
fn the_newest_are_known_and_the_oldest_forgotten() {
    let kept = Kept::default();
    kept.make_shelves();
    // Four of these fill a shelf.
    let long = Maker { model: Some("m".repeat(1_000)), ..maker("p", "k") };
    let all = 8 * usize::from(SHELVES);
    for number in 0..all {
        kept.remember(&format!("resp_{number}"), &long);
    }
    let find = |number: usize| kept.find(&format!("resp_{number}"), "k");
    assert_eq!(find(0), Keeper::Unknown);
    for number in all - 256..all {
        assert_eq!(find(number), Keeper::Known(long.clone()));
    }
    for number in 0..SHELVES {
        let (content, _) = kept.0.read(&shelf(number)).unwrap();
        assert!(content.len() <= SHELF);
    }
}

#[test]
fn names_that_cannot_be_told_apart_are_not_kept() {
    let kept = Kept::default();
    kept.remember("r", &maker("p\0x", "k"));
    kept.remember("r", &maker(&"p".repeat(SHELF), "k"));
    assert_eq!(kept.find("r", "k"), Keeper::Unknown);
}

#[test]
fn a_spoilt_shelf_is_an_empty_one() {
    let kept = Kept::default();
    for content in [&[9][..], &[255, 255, 0], &[3, 0, 1, 2, 3], &[18, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]] {
        let name = Place::of("r").shelf;
        assert!(kept.0.write(&name, content, None));
        assert_eq!(kept.find("r", "k"), Keeper::Unknown);
        kept.remember("r", &maker("p", "k"));
        assert_eq!(kept.find("r", "k"), Keeper::Known(maker("p", "k")));
    }
}

/// Shelves on which another worker writes between a read and the write after it.
#[derive(Debug)]
struct Busy(Rc<Own>, RefCell<Vec<Vec<u8>>>);

impl Shelves for Busy {
    fn read(&self, name: &str) -> Option<(Vec<u8>, Option<u32>)> {
        let before = self.0.read(name);
        if let Some(content) = self.1.borrow_mut().pop() {
            self.0.write(name, &content, None);
        }
        before
    }

    fn write(&self, name: &str, content: &[u8], version: Option<u32>) -> bool {
        self.0.write(name, content, version)
    }
}

#[test]
fn another_worker_s_word_is_not_overwritten() {
    let own = Rc::new(Own::default());
    let theirs = entry(&Place::of("r").digest, Kind::Made, &maker("p", "theirs")).unwrap();
    let kept = Kept::on(Box::new(Busy(Rc::clone(&own), RefCell::default())));
    kept.make_shelves();
    let kept = Kept::on(Box::new(Busy(own, RefCell::new(vec![theirs]))));
    kept.remember("r", &maker("p", "ours"));
    for key in ["ours", "theirs"] {
        assert_eq!(kept.find("r", key), Keeper::Known(maker("p", key)));
    }
}

#[test]
fn making_the_shelves_again_loses_nothing() {
    let kept = Kept::default();
    kept.make_shelves();
    kept.remember("r", &maker("p", "k"));
    kept.make_shelves();
    assert_eq!(kept.find("r", "k"), Keeper::Known(maker("p", "k")));
}
