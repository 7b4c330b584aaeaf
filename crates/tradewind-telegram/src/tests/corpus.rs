//! X01: authorisation over a corpus of updates. Unauthorised messages get no answer and are counted.

use serde_json::{Value, json};

use super::world::{USER, World, message};
use crate::client::Failure;
use crate::counts::Counts;
use crate::machine::In;

/// `/kill` with some fields of the message or the update set.
fn update(message_fields: &Value) -> Value {
    let mut update = message(5, 0, "/kill now");
    let target = update["message"].as_object_mut().unwrap();
    target.extend(message_fields.as_object().unwrap().clone());
    update
}

fn check(update: &Value, expected: fn(&Counts) -> u64) {
    let mut world = World::new();
    world.receive(std::slice::from_ref(update));
    assert!(
        world.commands.is_empty() && world.delivered.is_empty(),
        "{update}"
    );
    assert_eq!(expected(&world.machine.counts()), 1, "{update}");
    assert_eq!(world.machine.counts().commands, 0);
    assert_eq!(
        world.polling,
        Some(Some(6)),
        "it is confirmed all the same: {update}"
    );
}

#[test]
fn nobody_but_a_listed_user_in_a_private_chat_is_obeyed() {
    check(
        &update(&json!({ "from": { "id": 7 }, "chat": { "id": 7, "type": "private" } })),
        |counts| counts.strangers,
    );
    for chat in [
        json!({ "id": -123_456_789, "type": "group" }),
        json!({ "id": -1_001_234_567_890_i64, "type": "supergroup" }),
        json!({ "id": -1_001_234_567_891_i64, "type": "channel" }),
        json!({ "id": USER, "type": "group" }),
        json!({ "id": 7, "type": "private" }),
    ] {
        check(&update(&json!({ "chat": chat })), |counts| {
            counts.not_private
        });
    }
    // An anonymous administrator speaks for the group, in the name of a bot of Telegram's.
    check(
        &update(&json!({
            "from": { "id": 1_087_968_824, "is_bot": true }, "chat": { "id": -5, "type": "supergroup" },
            "sender_chat": { "id": -5 },
        })),
        |counts| counts.not_private,
    );
    check(
        &update(&json!({ "sender_chat": { "id": USER } })),
        |counts| counts.not_private,
    );
    check(
        &update(&json!({ "from": { "id": USER, "is_bot": true } })),
        |counts| counts.not_private,
    );
    check(&update(&json!({ "from": null })), |counts| {
        counts.not_private
    });
}

#[test]
fn a_listed_users_borrowed_words_are_not_obeyed() {
    for mark in [
        json!({ "forward_from": { "id": USER }, "forward_date": 1 }),
        json!({ "forward_origin": { "type": "hidden_user" } }),
        json!({ "forward_sender_name": "Somebody" }),
        json!({ "forward_from_chat": { "id": -5 } }),
        json!({ "via_bot": { "id": 9 } }),
    ] {
        check(&update(&mark), |counts| counts.forwarded);
    }
    check(&update(&json!({ "edit_date": 2 })), |counts| {
        counts.other_kinds
    });
    check(&update(&json!({ "text": null })), |counts| {
        counts.other_kinds
    });
    for kind in [
        "edited_message",
        "callback_query",
        "channel_post",
        "business_message",
    ] {
        let mut edited = message(5, 0, "/kill now");
        let content = edited["message"].take();
        edited.as_object_mut().unwrap().remove("message");
        edited[kind] = content;
        check(&edited, |counts| counts.other_kinds);
    }
    check(&json!({ "update_id": 5 }), |counts| counts.other_kinds);
    check(&update(&json!({ "chat": "private" })), |counts| {
        counts.malformed
    });
    check(&json!({ "update_id": 5, "message": 3 }), |counts| {
        counts.malformed
    });
}

#[test]
fn an_update_that_cannot_be_read_does_not_hold_up_the_next() {
    let mut world = World::new();
    let kill = message(7, 0, "/kill now");
    world.receive(&[
        json!({ "update_id": 6, "message": [] }),
        json!("nonsense"),
        kill,
    ]);
    assert_eq!(world.commands.len(), 1);
    assert_eq!(world.polling, Some(Some(8)));
}

/// Documented and observed updates and errors, where the desk's test data is at hand.
#[test]
fn known_updates_are_read_as_documented() {
    let Some(path) = tradewind_testkit::test_data("known_answers/telegram.json") else {
        return;
    };
    let known: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut obeyed = Vec::new();
    for case in known["updates"].as_array().unwrap() {
        let json = &case["json"];
        let one = std::slice::from_ref(json);
        let updates = json["result"].as_array().map_or(one, Vec::as_slice);
        let mut world = World::new();
        world.receive(updates);
        let next = updates[0]["update_id"].as_i64().map(|id| id + 1);
        assert_eq!(world.polling, Some(next), "{}", case["name"]);
        if world.machine.counts().commands > 0 {
            obeyed.push(case["name"].as_str().unwrap());
        }
    }
    assert_eq!(obeyed, ["text command", "text with entities"]);
}

#[test]
fn a_token_that_is_not_known_ends_it_and_a_second_poller_is_left_the_field() {
    let mut world = World::new();
    world.put(In::Polled(Err(Failure::Unauthorized)));
    assert!(world.is_stopped);

    let mut world = World::new();
    world.polling = None;
    world.put(In::Polled(Err(Failure::Conflict)));
    assert!(world.machine.deadline().unwrap().as_secs() >= 30);
}
